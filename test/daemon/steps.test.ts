import { expect, it } from 'vitest';
import type { Follower } from '../../src/containers/follow.ts';
import type { Parts } from '../../src/containers/parts.ts';
import { namespaceWatch } from '../../src/daemon/steps.ts';

/** A watch that begins when the test says so. */
function watch(begins: Promise<unknown>) {
  const stopped: string[] = [];
  const network = {
    watch: async () => {
      await begins;
      return { stop: async () => void stopped.push('watch') };
    },
  };
  const parts = { network } as unknown as Parts;
  return { step: namespaceWatch({ parts, follower: {} as Follower }), stopped };
}

it('a stop during the start of the namespace watch stops the watch once it runs', async () => {
  const begins = Promise.withResolvers<void>();
  const { step, stopped } = watch(begins.promise);
  const started = step.start?.();
  const stop = step.stop?.();
  expect(stopped).toEqual([]);
  begins.resolve();
  await Promise.all([started, stop]);
  expect(stopped).toEqual(['watch']);
});

it('a watch that did not start is not stopped, and the stop does not fail', async () => {
  const { step, stopped } = watch(Promise.reject(new Error('no permission')));
  await expect(step.start?.()).rejects.toThrow('no permission');
  await step.stop?.();
  expect(stopped).toEqual([]);
});

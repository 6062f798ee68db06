import { afterEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../../src/log.ts';
import { Desired } from '../../src/registry/desired.ts';
import { HealthWatch } from '../../src/registry/health-watch.ts';
import type { InstanceHealth, Moved } from '../../src/registry/registry.ts';
import type { CheckStatus } from '../../src/services/service.ts';
import { entryOf } from '../support/roster.ts';
import { unreachable } from '../support/shaky-registry.ts';
import { containerId } from '../support/snapshot.ts';

type Answer = Moved<ReadonlyMap<string, InstanceHealth>>;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function rig() {
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
  /** Questions that are open, and those that were given up. */
  const asked: { node: string; index: number; answer(answer: Answer): void; fail(): void }[] = [];
  let given = 0;
  const moving = {
    health: (node: string, index: number, signal: AbortSignal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const giveUp = () => {
        given += 1;
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp);
      asked.push({ node, index, answer: resolve, fail: () => reject(unreachable()) });
      return promise.finally(() => signal.removeEventListener('abort', giveUp));
    },
  };
  const watch = new HealthWatch({ desired, moving, node: () => 'here' });
  ends.push(() => watch.stop());
  watch.start();
  const run = (digits: string, check = 'TCP') =>
    desired.set(
      entryOf({
        id: containerId(digits),
        ports: [80],
        env: { SERVICE_NAME: 'web', [`SERVICE_CHECK_${check}`]: '10s' },
      }),
    );
  const next = () =>
    vi.waitFor(() => {
      const question = asked.shift();
      if (question === undefined) throw new Error('nothing is asked');
      return question;
    }, 3000);
  return { desired, watch, run, asked, next, given: () => given };
}

const health = (status: CheckStatus) => new Map([['web-1', { status }]]);

test('what the agent finds of a service is heard, and goes on being heard', async () => {
  const { watch, run, next } = rig();
  run('a');
  const first = await next();
  expect(first).toMatchObject({ node: 'here', index: 0 });
  expect(watch.health).toBeUndefined();
  first.answer({ value: health('passing'), index: 7 });
  const second = await next();
  expect([watch.health?.get('web-1')?.status, second.index]).toEqual(['passing', 7]);
  second.answer({ value: health('critical'), index: 9 });
  expect((await next()).index).toBe(9);
  expect(watch.health?.get('web-1')?.status).toBe('critical');
});

test('while nobody answers it is as last known, and everything is asked anew', async () => {
  const { watch, run, next } = rig();
  run('a');
  (await next()).answer({ value: health('critical'), index: 7 });
  (await next()).fail();
  expect((await next()).index).toBe(0);
  expect(watch.health?.get('web-1')?.status).toBe('critical');
});

test('an index that goes back is started over from', async () => {
  const { run, next } = rig();
  run('a');
  (await next()).answer({ value: health('passing'), index: 7 });
  (await next()).answer({ value: health('passing'), index: 3 });
  expect((await next()).index).toBe(0);
});

test('nothing is asked without a service whose checks an agent runs, nor after the last of them', async () => {
  const { desired, watch, run, asked, next, given } = rig();
  run('a', 'TTL');
  expect(asked).toEqual([]);
  run('b');
  run('c');
  (await next()).answer({ value: health('passing'), index: 7 });
  await next();
  desired.delete(containerId('b'));
  expect([given(), watch.health?.size]).toEqual([0, 1]);
  run('c', 'TTL');
  expect([given(), watch.health]).toEqual([1, undefined]);
});

test('what changes after the end is not watched', async () => {
  const { watch, asked, run } = rig();
  await watch.stop();
  run('a');
  expect(asked).toEqual([]);
});

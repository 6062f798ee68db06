import { afterEach, expect, test, vi } from 'vitest';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import type { HealthQuery, Indexed, NodeHealth } from '../../../src/registry/registry.ts';
import { HealthWatch } from '../../../src/registry/view/health-watch.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import type { CheckStatus } from '../../../src/services/service.ts';
import { entryOf } from '../../support/roster.ts';
import { unreachable } from '../../support/shaky-registry.ts';
import { containerId } from '../../support/snapshot.ts';

type Answer = Indexed<NodeHealth>;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function rig({ checkedBy = 'agent' as 'agent' | 'heddle' } = {}) {
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
  /** Open and aborted queries. */
  const asked: (HealthQuery & { index: number; answer(answer: Answer): void; fail(): void })[] = [];
  let given = 0;
  let name = 'here';
  const blockingQueries = {
    health: (what: HealthQuery, index: number, signal: AbortSignal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const giveUp = () => {
        given += 1;
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp);
      asked.push({ ...what, index, answer: resolve, fail: () => reject(unreachable()) });
      return promise.finally(() => signal.removeEventListener('abort', giveUp));
    },
  };
  const watch = new HealthWatch({ desired, blockingQueries, node: () => name, checkedBy });
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
  return {
    desired,
    watch,
    run,
    asked,
    next,
    given: () => given,
    moveTo: (node: string) => {
      name = node;
    },
  };
}

const health = (status: CheckStatus): NodeHealth => ({
  services: new Map([['web-1', { status }]]),
  node: { status: 'passing' },
});

test("the agent's results for a service are received, and continue to be", async () => {
  const { watch, run, next } = rig();
  run('a');
  const first = await next();
  expect(first).toMatchObject({ node: 'here', index: 0 });
  expect(watch.health).toBeUndefined();
  first.answer({ value: health('passing'), index: 7 });
  const second = await next();
  expect([watch.health?.services.get('web-1')?.status, second.index]).toEqual(['passing', 7]);
  second.answer({ value: health('critical'), index: 9 });
  expect((await next()).index).toBe(9);
  expect(watch.health?.services.get('web-1')?.status).toBe('critical');
});

test('while the registry does not answer, the last health stays, and the next query starts anew', async () => {
  const { watch, run, next } = rig();
  run('a');
  (await next()).answer({ value: health('critical'), index: 7 });
  (await next()).fail();
  expect((await next()).index).toBe(0);
  expect(watch.health?.services.get('web-1')?.status).toBe('critical');
});

test('an index that goes back restarts the queries', async () => {
  const { run, next } = rig();
  run('a');
  (await next()).answer({ value: health('passing'), index: 7 });
  (await next()).answer({ value: health('passing'), index: 3 });
  expect((await next()).index).toBe(0);
});

test('nothing is queried before the first service and after the last one', async () => {
  const { desired, watch, run, asked, next, given } = rig();
  expect(asked).toEqual([]);
  run('b');
  (await next()).answer({ value: health('passing'), index: 7 });
  await next();
  expect(watch.health?.services.size).toBe(1);
  desired.delete(containerId('b'));
  expect([given(), watch.health]).toEqual([1, undefined]);
});

test('without checks run by the agent, only checks that do not pass are queried: maintenance and foreign checks', async () => {
  const { desired, run, next, watch } = rig();
  run('a', 'TTL');
  const first = await next();
  expect(first).toMatchObject({ node: 'here', only: 'unwell', index: 0 });
  first.answer({ value: health('critical'), index: 7 });
  expect((await next()).index).toBe(7);
  run('b');
  expect(await next()).toMatchObject({ only: 'all', index: 0 });
  expect(watch.health?.services.get('web-1')?.status).toBe('critical');
  desired.delete(containerId('b'));
  expect(await next()).toMatchObject({ only: 'unwell', index: 0 });
});

test('if heddle runs the checks, only foreign checks are queried', async () => {
  const { run, next } = rig({ checkedBy: 'heddle' });
  run('a', 'TCP');
  expect(await next()).toMatchObject({ only: 'unwell' });
});

test('a new node is queried at once, and the old health stays until its answer', async () => {
  const { run, next, watch, given, moveTo } = rig();
  run('a');
  (await next()).answer({ value: health('critical'), index: 7 });
  await next();
  moveTo('there');
  watch.restart();
  expect(await next()).toMatchObject({ node: 'there', only: 'all', index: 0 });
  expect([given(), watch.health?.services.get('web-1')?.status]).toEqual([1, 'critical']);
});

test('changes after the stop are not watched', async () => {
  const { watch, asked, run } = rig();
  await watch.stop();
  watch.restart();
  run('a');
  expect(asked).toEqual([]);
});

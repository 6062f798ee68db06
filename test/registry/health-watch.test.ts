import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../../src/log.ts';
import { Desired } from '../../src/registry/desired.ts';
import { HealthWatch } from '../../src/registry/health-watch.ts';
import type { Instance } from '../../src/registry/registry.ts';
import { entryOf } from '../support/roster.ts';
import { unreachable } from '../support/shaky-registry.ts';
import { containerId } from '../support/snapshot.ts';

interface Question {
  readonly name: string;
  readonly index: number;
  answer(index: number, instances?: readonly Instance[]): void;
  fail(): void;
}

let questions: Question[] = [];
const ended: string[] = [];
const moving = {
  changes: (name: string, index: number, signal: AbortSignal) =>
    new Promise<{ instances: readonly Instance[]; index: number }>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        ended.push(name);
        reject(signal.reason);
      });
      const answer = (next: number, instances: readonly Instance[] = []) =>
        resolve({ instances, index: next });
      questions.push({ name, index, answer, fail: () => reject(unreachable()) });
    }),
};

function rig(most?: number) {
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
  const watch = new HealthWatch({ desired, moving }, most === undefined ? {} : { most });
  watches.push(watch);
  watch.start();
  const run = (digits: string, name: string, check = 'TCP') =>
    desired.set(
      entryOf({
        id: containerId(digits),
        ports: [80],
        env: { SERVICE_NAME: name, [`SERVICE_CHECK_${check}`]: '10s' },
      }),
    );
  return { desired, watch, run };
}

const watches: HealthWatch[] = [];
const next = () =>
  vi.waitFor(() => {
    const question = questions.shift();
    if (question === undefined) throw new Error('nothing is asked');
    return question;
  }, 3000);

afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.stop();
  questions = [];
  ended.splice(0);
});

test('a name whose checks an agent runs is waited for, and known once it answers', async () => {
  const { watch, run } = rig();
  run('a', 'Web');
  const first = await next();
  expect(first).toMatchObject({ name: 'web', index: 0 });
  expect(watch.get('web')).toBeUndefined();
  first.answer(7);
  const second = await next();
  expect(second.index).toBe(7);
  expect(watch.get('web')).toEqual([]);
});

test('an index that goes back begins anew', async () => {
  const { run } = rig();
  run('a', 'web');
  (await next()).answer(7);
  (await next()).answer(3);
  expect((await next()).index).toBe(0);
});

test('while nobody answers, nothing is known, and it is asked again', async () => {
  const { watch, run } = rig();
  run('a', 'web');
  (await next()).answer(7);
  (await next()).fail();
  const again = await next();
  expect(again.index).toBe(0);
  expect(watch.get('web')).toBeUndefined();
});

test('two services of a name cost one wait, which ends with the last of them', async () => {
  const { desired, run } = rig();
  run('a', 'web');
  run('b', 'web');
  (await next()).answer(1);
  await next();
  desired.delete(containerId('a'));
  expect(ended).toEqual([]);
  desired.delete(containerId('b'));
  expect(ended).toContain('web');
  await delay(20);
  expect(questions).toEqual([]);
});

test('checks that heddle tells itself need no wait', async () => {
  const { run } = rig();
  run('a', 'web', 'TTL');
  await delay(20);
  expect(questions).toEqual([]);
});

test('no more names are waited for than are allowed', async () => {
  const { run } = rig(2);
  for (const name of ['a', 'b', 'c']) run(name, `web-${name}`);
  await delay(20);
  expect(questions.map(({ name }) => name)).toEqual(['web-a', 'web-b']);
});

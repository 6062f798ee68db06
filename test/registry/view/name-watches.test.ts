import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Instance } from '../../../src/registry/registry.ts';
import { NameWatches, type NameWatchesOptions } from '../../../src/registry/view/name-watches.ts';
import { FakeMoving, instanceAt } from '../../support/moving.ts';

const [one, two] = [instanceAt('10.2.1.1'), instanceAt('10.2.1.2')];
let moving: FakeMoving;
let watches: NameWatches;
let learnt: (readonly Instance[])[];

function open(options?: NameWatchesOptions): void {
  watches?.stop();
  moving = new FakeMoving();
  learnt = [];
  watches = new NameWatches({ moving, learn: (_name, instances) => learnt.push(instances) }, options);
}

beforeEach(() => open());
afterEach(() => {
  watches.stop();
  vi.restoreAllMocks();
});

test('a name is known once it is answered, and then as it changes (TestZoneRefresh, TestServerDbCacheRefresh)', async () => {
  watches.want('web');
  const first = await moving.next();
  expect([first.name, first.index, watches.get('web')]).toEqual(['web', 0, undefined]);
  first.answer(7, [one]);
  const second = await moving.next();
  expect([second.index, watches.get('web')]).toEqual([7, [one]]);
  second.answer(9, [one, two]);
  expect((await moving.next()).index).toBe(9);
  expect([watches.get('web'), learnt]).toEqual([
    [one, two],
    [[one], [one, two]],
  ]);
});

test('a name that all ask for is waited for once', async () => {
  for (let asker = 0; asker < 100; asker++) watches.want('web');
  await moving.next();
  await delay(20);
  expect([moving.open, watches.size]).toEqual([1, 1]);
});

test('a name that did not change keeps the very instances it had', async () => {
  watches.want('web');
  (await moving.next()).answer(7, [one]);
  (await moving.next()).answer(7, [instanceAt('10.2.1.1')]);
  await moving.next();
  expect(watches.get('web')?.[0]).toBe(one);
  expect(learnt).toHaveLength(1);
});

test('an index that goes back begins anew, with what is there now', async () => {
  watches.want('web');
  (await moving.next()).answer(7, [one]);
  (await moving.next()).answer(3, [two]);
  const again = await moving.next();
  expect([again.index, watches.get('web')]).toEqual([0, [two]]);
  again.answer(4, [one]);
  expect((await moving.next()).index).toBe(4);
  expect(watches.get('web')).toEqual([one]);
});

test('while nobody answers, nothing is known; it is asked again, after ever longer pauses that differ', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  watches.want('web');
  (await moving.next()).answer(7, [one]);
  const pauses: number[] = [];
  for (let time = 0; time < 3; time++) {
    (await moving.next()).fail();
    const from = performance.now();
    await vi.waitFor(() => expect(moving.waiting).toHaveLength(1), { timeout: 3000, interval: 5 });
    // How often 250 ms were doubled: a busy machine may take longer, and never less.
    pauses.push(Math.floor(Math.log2((performance.now() - from + 5) / 250)));
    expect(watches.get('web')).toBeUndefined();
  }
  expect(pauses).toEqual([0, 1, 2]);
  const back = await moving.next();
  expect(back.index).toBe(0);
  back.answer(2, [two]);
  await moving.next();
  expect(watches.get('web')).toEqual([two]);
});

test('five thousand names make no more connections than are allowed', async () => {
  for (let n = 0; n < 5000; n++) watches.want(`web-${n}`);
  await delay(20);
  expect([moving.open, watches.size]).toEqual([32, 32]);
});

test('a name that is asked for no longer is let go, and makes room', async () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  open({ most: 1, idleFor: 200 });
  watches.want('web');
  watches.want('db');
  (await moving.next()).answer(1, [one]);
  for (let index = 2; index < 6; index++) {
    const waiting = await moving.next();
    now += 200;
    expect(watches.get('web')).toBeDefined();
    waiting.answer(index, [one]);
  }
  const last = await moving.next();
  now += 201;
  last.answer(6, [one]);
  await vi.waitFor(() => expect(watches.size).toBe(0));
  expect(watches.get('web')).toBeUndefined();
  watches.want('db');
  expect((await moving.next()).name).toBe('db');
});

test('a name that nobody has any more is let go, too', async () => {
  watches.want('web');
  (await moving.next()).answer(1, [one]);
  (await moving.next()).answer(2, []);
  await vi.waitFor(() => expect(watches.size).toBe(0));
  await delay(30);
  expect(moving.waiting).toEqual([]);
});

test('a name that changes all the time is not asked about all the time', async () => {
  let asked = 0;
  const busy = { changes: async () => ({ value: [one], index: ++asked }) };
  const hurried = new NameWatches({ moving: busy });
  const started = performance.now();
  hurried.want('web');
  await vi.waitFor(() => expect(asked).toBeGreaterThan(5));
  hurried.stop();
  // Every 20 ms, of which a timer may lack one.
  expect(asked).toBeLessThanOrEqual(1 + (performance.now() - started) / 19);
});

test('after the end nothing is asked', async () => {
  watches.want('web');
  (await moving.next()).fail();
  watches.stop();
  watches.want('db');
  await delay(900);
  expect(moving.waiting).toEqual([]);
});

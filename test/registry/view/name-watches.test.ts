import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Instance } from '../../../src/registry/registry.ts';
import { NameWatches, type NameWatchesOptions } from '../../../src/registry/view/name-watches.ts';
import { FakeBlockingQueries, instanceAt } from '../../support/blocking-queries.ts';

const [one, two] = [instanceAt('10.2.1.1'), instanceAt('10.2.1.2')];
let blockingQueries: FakeBlockingQueries;
let watches: NameWatches;
let learnt: (readonly Instance[])[];

function open(options?: NameWatchesOptions): void {
  watches?.stop();
  blockingQueries = new FakeBlockingQueries();
  learnt = [];
  watches = new NameWatches(
    { blockingQueries, learn: (_name, instances) => learnt.push(instances) },
    options,
  );
}

beforeEach(() => open());
afterEach(() => {
  watches.stop();
  vi.restoreAllMocks();
});

test('a name is known after the first answer, and then follows its changes (TestZoneRefresh, TestServerDbCacheRefresh)', async () => {
  watches.watch('web');
  const first = await blockingQueries.next();
  expect([first.name, first.index, watches.get('web')]).toEqual(['web', 0, undefined]);
  first.answer(7, [one]);
  const second = await blockingQueries.next();
  expect([second.index, watches.get('web')]).toEqual([7, [one]]);
  second.answer(9, [one, two]);
  expect((await blockingQueries.next()).index).toBe(9);
  expect([watches.get('web'), learnt]).toEqual([
    [one, two],
    [[one], [one, two]],
  ]);
});

test('a name that many clients use has one query', async () => {
  for (let asker = 0; asker < 100; asker++) watches.watch('web');
  await blockingQueries.next();
  await delay(20);
  expect([blockingQueries.open, watches.size]).toEqual([1, 1]);
});

test('an unchanged name keeps the same objects of its instances', async () => {
  watches.watch('web');
  (await blockingQueries.next()).answer(7, [one]);
  (await blockingQueries.next()).answer(7, [instanceAt('10.2.1.1')]);
  await blockingQueries.next();
  expect(watches.get('web')?.[0]).toBe(one);
  expect(learnt).toHaveLength(1);
});

test('an index that goes back restarts the queries from the current state', async () => {
  watches.watch('web');
  (await blockingQueries.next()).answer(7, [one]);
  (await blockingQueries.next()).answer(3, [two]);
  const again = await blockingQueries.next();
  expect([again.index, watches.get('web')]).toEqual([0, [two]]);
  again.answer(4, [one]);
  expect((await blockingQueries.next()).index).toBe(4);
  expect(watches.get('web')).toEqual([one]);
});

test('while the registry does not answer, the name is unknown and retried after growing, varying pauses', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  watches.watch('web');
  (await blockingQueries.next()).answer(7, [one]);
  const pauses: number[] = [];
  for (let time = 0; time < 3; time++) {
    (await blockingQueries.next()).fail();
    const from = performance.now();
    await vi.waitFor(() => expect(blockingQueries.waiting).toHaveLength(1), { timeout: 3000, interval: 5 });
    // 250 ms, doubled each time: a busy machine may take longer, never less.
    pauses.push(Math.floor(Math.log2((performance.now() - from + 5) / 250)));
    expect(watches.get('web')).toBeUndefined();
  }
  expect(pauses).toEqual([0, 1, 2]);
  const back = await blockingQueries.next();
  expect(back.index).toBe(0);
  back.answer(2, [two]);
  await blockingQueries.next();
  expect(watches.get('web')).toEqual([two]);
});

test('five thousand names open no more connections than allowed', async () => {
  for (let n = 0; n < 5000; n++) watches.watch(`web-${n}`);
  await delay(20);
  expect([blockingQueries.open, watches.size]).toEqual([32, 32]);
});

test('a name that is no longer used is dropped, and makes room', async () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  open({ most: 1, idleFor: 200 });
  watches.watch('web');
  watches.watch('db');
  (await blockingQueries.next()).answer(1, [one]);
  for (let index = 2; index < 6; index++) {
    const waiting = await blockingQueries.next();
    now += 200;
    expect(watches.get('web')).toBeDefined();
    waiting.answer(index, [one]);
  }
  const last = await blockingQueries.next();
  now += 201;
  last.answer(6, [one]);
  await vi.waitFor(() => expect(watches.size).toBe(0));
  expect(watches.get('web')).toBeUndefined();
  watches.watch('db');
  expect((await blockingQueries.next()).name).toBe('db');
});

test('a name without instances is dropped too', async () => {
  watches.watch('web');
  (await blockingQueries.next()).answer(1, [one]);
  (await blockingQueries.next()).answer(2, []);
  await vi.waitFor(() => expect(watches.size).toBe(0));
  await delay(30);
  expect(blockingQueries.waiting).toEqual([]);
});

test('a name that changes all the time is queried with pauses', async () => {
  let asked = 0;
  const busy = { changes: async () => ({ value: [one], index: ++asked }) };
  const hurried = new NameWatches({ blockingQueries: busy });
  const started = performance.now();
  hurried.watch('web');
  await vi.waitFor(() => expect(asked).toBeGreaterThan(5));
  hurried.stop();
  // Every 20 ms; a timer may fire one early.
  expect(asked).toBeLessThanOrEqual(1 + (performance.now() - started) / 19);
});

test('nothing is queried after the stop', async () => {
  watches.watch('web');
  (await blockingQueries.next()).fail();
  watches.stop();
  watches.watch('db');
  await delay(900);
  expect(blockingQueries.waiting).toEqual([]);
});

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { Slots } from '../../src/checks/slots.ts';

const options = { total: 16, each: 4 };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Jobs that run until the test ends them. */
function hanging() {
  const ends: (() => void)[] = [];
  return { ends, job: () => new Promise<void>((resolve) => ends.push(resolve)) };
}

test('one owner has four slots, and one if more than half are busy', async () => {
  const slots = new Slots(options);
  const begun: number[] = [];
  for (const owner of ['a', 'b', 'c', 'd']) {
    const { ends, job } = hanging();
    for (let n = 0; n < 500; n++) slots.add(owner, job);
    for (let n = 0; n < 20; n++) await turn();
    begun.push(ends.length);
  }
  expect(begun).toEqual([4, 4, 1, 1]);
});

test('each turn of the event loop starts one job, however many are due', async () => {
  const slots = new Slots({ total: 256, each: 4 });
  let begun = 0;
  for (let n = 0; n < 100; n++) slots.add(`owner-${n}`, async () => void begun++);
  expect(begun).toBe(0);
  for (let turns = 1; turns <= 100; turns++) {
    await turn();
    expect(begun).toBeLessThanOrEqual(turns);
  }
  await slots.idle();
  expect(begun).toBe(100);
});

test('an owner rests between two jobs, other owners do not', async () => {
  vi.useFakeTimers();
  const slots = new Slots({ ...options, restMs: 20 });
  const begun: string[] = [];
  const add = (owner: string) => slots.add(owner, async () => void begun.push(owner));
  for (let n = 0; n < 500; n++) add('hostile');
  await vi.advanceTimersByTimeAsync(1000);
  expect(begun.length).toBeGreaterThan(40);
  expect(begun.length).toBeLessThanOrEqual(51);
  begun.length = 0;
  for (let n = 0; n < 10; n++) add(`honest-${n}`);
  await vi.advanceTimersByTimeAsync(19);
  expect(begun.filter((owner) => owner !== 'hostile')).toHaveLength(10);
  slots.clear();
  vi.useRealTimers();
});

test('jobs that are over take no turn', async () => {
  const slots = new Slots({ ...options, restMs: 60_000 });
  let begun = 0;
  for (let n = 0; n < 500; n++)
    slots.add(
      'a',
      async () => void begun++,
      () => true,
    );
  let isDone = false;
  slots.add('a', async () => {
    isDone = true;
  });
  await slots.idle();
  expect([begun, isDone]).toEqual([0, true]);
});

test('jobs that have not started can be dropped', async () => {
  const slots = new Slots({ ...options, restMs: 60_000 });
  const { ends, job } = hanging();
  for (let n = 0; n < 10; n++) slots.add('a', job);
  await turn();
  slots.clear();
  for (const end of ends) end();
  await slots.idle();
  expect(ends).toHaveLength(1);
});

test('an owner with one job does not wait for one with hundreds', async () => {
  const slots = new Slots(options);
  const { job } = hanging();
  for (let n = 0; n < 500; n++) slots.add('hostile', job);
  let isDone = false;
  slots.add('honest', async () => {
    isDone = true;
  });
  for (let n = 0; n < 6; n++) await turn();
  expect(isDone).toBe(true);
});

test('owners take turns', async () => {
  const slots = new Slots({ total: 1, each: 1 });
  const order: string[] = [];
  for (const owner of ['a', 'a', 'a', 'b', 'c']) slots.add(owner, async () => void order.push(owner));
  await slots.idle();
  expect(order).toEqual(['a', 'b', 'c', 'a', 'a']);
});

test('every job runs once, and never more at once than there are slots', async () => {
  const owners = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(owners, fc.integer({ min: 1, max: 6 }), async (jobs, total) => {
      const slots = new Slots({ total, each: 2 });
      let running = 0;
      let done = 0;
      for (const owner of jobs) {
        slots.add(owner, async () => {
          expect(++running).toBeLessThanOrEqual(total);
          await Promise.resolve();
          running--;
          done++;
        });
      }
      await slots.idle();
      expect(done).toBe(jobs.length);
    }),
  );
});

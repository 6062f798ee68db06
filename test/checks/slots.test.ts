import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slots } from '../../src/checks/slots.ts';

const options = { total: 16, each: 4 };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Jobs that go on until they are ended. */
function hanging() {
  const ends: (() => void)[] = [];
  return { ends, job: () => new Promise<void>((resolve) => ends.push(resolve)) };
}

test('one owner has four slots, and one where more than half are taken', () => {
  const slots = new Slots(options);
  const of = (owner: string) => {
    const { ends, job } = hanging();
    for (let n = 0; n < 500; n++) slots.add(owner, job);
    return ends;
  };
  expect(['a', 'b', 'c', 'd'].map((owner) => of(owner).length)).toEqual([4, 4, 1, 1]);
});

test('an owner with one job does not wait for one with hundreds', async () => {
  const slots = new Slots(options);
  const { job } = hanging();
  for (let n = 0; n < 500; n++) slots.add('hostile', job);
  let isDone = false;
  slots.add('honest', async () => {
    isDone = true;
  });
  await turn();
  expect(isDone).toBe(true);
});

test('owners take turns', async () => {
  const slots = new Slots({ total: 1, each: 1 });
  const order: string[] = [];
  for (const owner of ['a', 'a', 'a', 'b', 'c']) slots.add(owner, async () => void order.push(owner));
  await slots.idle();
  expect(order).toEqual(['a', 'a', 'b', 'c', 'a']);
});

test('every job is run once, and never more at a time than there are slots', async () => {
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

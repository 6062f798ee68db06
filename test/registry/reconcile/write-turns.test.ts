import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type WriteKind, WriteTurns } from '../../../src/registry/reconcile/write-turns.ts';

const takeAll = (turns: WriteTurns): readonly string[] => {
  const taken: string[] = [];
  for (let id = turns.take(); id !== undefined; id = turns.take()) taken.push(id);
  return taken;
};

describe('turns', () => {
  test('a container with two thousand ports delays a small one by two writes, not two thousand', () => {
    const turns = new WriteTurns();
    for (let port = 0; port < 2000; port++) turns.add(`big:${port}`, 'big', 'other');
    turns.take();
    turns.add('small:80', 'small', 'other');
    const next = [turns.take(), turns.take()];
    expect(next).toContain('small:80');
  });

  test('a removal does not wait for registrations, not even those of its own container', () => {
    const turns = new WriteTurns();
    for (let port = 0; port < 2000; port++) turns.add(`big:${port}`, 'big', 'other');
    turns.add('dead:80', 'dead', 'removal');
    turns.add('big:1999', 'big', 'removal');
    expect([turns.take(), turns.take()]).toEqual(['dead:80', 'big:1999']);
  });

  test('two thousand removals delay a registration by at most eight writes', () => {
    const turns = new WriteTurns();
    for (let port = 0; port < 2000; port++) turns.add(`big:${port}`, 'big', 'removal');
    for (let n = 0; n < 100; n++) turns.take();
    turns.add('small:80', 'small', 'other');
    const taken = Array.from({ length: 8 }, () => turns.take());
    expect(taken).toContain('small:80');
  });

  test('an id that is registered after all loses its turn as a removal', () => {
    const turns = new WriteTurns();
    turns.add('a', 'a', 'removal');
    turns.add('a', 'a', 'other');
    turns.add('b', 'b', 'removal');
    expect(takeAll(turns)).toEqual(['b', 'a']);
    expect(turns.has('a')).toBe(false);
  });

  const write = fc.record({
    id: fc.integer({ min: 0, max: 40 }),
    kind: fc.constantFrom<WriteKind>('removal', 'other'),
    take: fc.boolean(),
  });

  test('every id is returned once for each time it was added after its turn, in any order', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 200 }), (writes) => {
        const turns = new WriteTurns();
        const waiting = new Set<string>();
        for (const { id, kind, take } of writes) {
          turns.add(`${id}`, `${id % 5}`, kind);
          waiting.add(`${id}`);
          if (!take) continue;
          const taken = turns.take();
          expect(waiting.delete(taken as string)).toBe(true);
        }
        expect(takeAll(turns).toSorted()).toEqual([...waiting].toSorted());
      }),
    );
  });

  test('no waiting lane has two turns before another has one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 60 }), (lanes) => {
        const turns = new WriteTurns();
        for (const [n, lane] of lanes.entries()) turns.add(`${n}`, `${lane}`, 'other');
        const order = takeAll(turns).map((id) => lanes[Number(id)]);
        const all = new Set(lanes);
        expect(new Set(order.slice(0, all.size))).toEqual(all);
      }),
    );
  });

  test('after a clear they are empty and accept new ids', () => {
    const turns = new WriteTurns();
    turns.add('a', 'a', 'removal');
    turns.add('b', 'b', 'other');
    turns.clear();
    expect([turns.take(), turns.has('a')]).toEqual([undefined, false]);
    turns.add('a', 'a', 'other');
    expect(takeAll(turns)).toEqual(['a']);
  });
});

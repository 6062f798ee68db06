import { expect, test } from 'vitest';
import { shuffled } from '../../../src/dns/zones/shuffle.ts';

test('every order occurs equally often', () => {
  const seen = new Map<string, number>();
  // Each of the 3 × 2 choices once.
  for (const first of [0, 1 / 3, 2 / 3]) {
    for (const second of [0, 1 / 2]) {
      const numbers = [first, second];
      // The last one is not drawn.
      const order = [...shuffled(['a', 'b', 'c'], () => numbers.shift() ?? 0)].join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
  }
  expect([...seen.keys()].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
});

test('the list itself keeps its order', () => {
  const list = [1, 2, 3];
  expect([...shuffled(list, () => 0.9)]).not.toEqual(list);
  expect(list).toEqual([1, 2, 3]);
  expect([...shuffled([], () => 0)]).toEqual([]);
});

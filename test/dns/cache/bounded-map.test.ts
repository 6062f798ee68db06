import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BoundedMap } from '../../../src/dns/cache/bounded-map.ts';

/** The model: the newest values that fit together, in the order in which they were last set. */
class Model {
  values: { readonly key: number; readonly size: number }[] = [];

  set(key: number, size: number, max: number): void {
    this.delete(key);
    this.values.push({ key, size });
    while (this.values.reduce((sum, value) => sum + value.size, 0) > max) this.values.shift();
  }

  delete(key: number): void {
    this.values = this.values.filter((value) => value.key !== key);
  }
}

const step = fc.record({
  key: fc.nat(30),
  /** Undefined deletes the key. */
  size: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
});

test('a bounded map holds the newest values that fit, whatever is set and deleted', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const max = 100;
      const [map, model] = [new BoundedMap<number>(max, (size) => size), new Model()];
      for (const { key, size } of steps) {
        if (size === undefined) {
          map.delete(key);
          model.delete(key);
        } else {
          map.set(key, size);
          model.set(key, size, max);
        }
        const held = Array.from({ length: 31 }, (_, one) => map.get(one));
        expect(held).toEqual(held.map((_, one) => model.values.find((value) => value.key === one)?.size));
      }
    }),
  );
});

test('a value larger than the map is not held', () => {
  const map = new BoundedMap<string>(3, ({ length }) => length);
  map.set(1, 'ab');
  map.set(2, 'abcd');
  expect([map.get(1), map.get(2)]).toEqual([undefined, undefined]);
  map.set(3, 'abc');
  expect(map.get(3)).toBe('abc');
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReverseIndex } from '../../src/roster/reverse-index.ts';

const containers = fc.constantFrom('web', 'db', 'cache');
const addresses = fc.uniqueArray(fc.constantFrom('10.2.1.1', '10.2.1.2', '10.2.1.3'));

it('finds exactly the containers that have an address now', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(containers, addresses)), (changes) => {
      const index = new ReverseIndex<string>();
      const now = new Map<string, readonly string[]>();
      for (const [container, keys] of changes) {
        index.set(container, keys);
        now.set(container, keys);
      }
      for (const key of ['10.2.1.1', '10.2.1.2', '10.2.1.3']) {
        const having = [...now].filter(([, keys]) => keys.includes(key)).map(([container]) => container);
        expect(index.containersOf(key).toSorted()).toEqual(having.toSorted());
      }
    }),
  );
});

it('forgets removed containers', () => {
  const index = new ReverseIndex<string>();
  index.set('web', ['10.2.1.1']);
  index.set('db', ['10.2.1.1']);
  index.delete('web');
  expect(index.containersOf('10.2.1.1')).toEqual(['db']);
  index.delete('web');
  index.delete('db');
  expect(index.containersOf('10.2.1.1')).toEqual([]);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NamedAddress, NameTable } from '../../../src/dns/names/name-table.ts';
import { count } from '../../support/counts.ts';

const label = fc.constantFrom('a', 'b', 'c');
const name = fc
  .array(label, { minLength: 1, maxLength: 3 })
  .map((labels) => `${labels.join('.')}.weave.local`);
const ip = fc.constantFrom('10.2.1.1', '10.2.1.2', 'fd00::1');
const named: fc.Arbitrary<NamedAddress> = fc.record({ name, ip, explicit: fc.boolean() });
const change = fc.record({ owner: fc.constantFrom('x', 'y', 'z'), names: fc.array(named, { maxLength: 4 }) });

// weave's own tests of this: TestMerge, TestOldMerge, TestGossipDataMerge, TestTombstone, TestTombstoneDeletion, 215.
test('after any sequence of changes, the table holds exactly the last names of each owner', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), name, ip, (changes, askedName, askedIp) => {
      const table = new NameTable();
      const owners = new Map<string, readonly NamedAddress[]>();
      for (const { owner, names } of changes) {
        table.set(owner, names);
        owners.set(owner, names);
      }
      const all = [...owners.values()].flat();
      const addresses = all.filter((one) => one.name === askedName).map((one) => one.ip);
      expect(new Set(table.addresses(askedName))).toEqual(new Set(addresses));
      expect(table.addresses(askedName).length).toBe(new Set(addresses).size);
      expect(table.exists(askedName)).toBe(
        all.some((one) => one.name === askedName || one.name.endsWith(`.${askedName}`)),
      );
      const called = all.filter((one) => one.ip === askedIp);
      expect(table.nameOf(askedIp) !== undefined).toBe(called.length > 0);
      if (called.some(({ explicit }) => explicit)) expect(table.nameOf(askedIp)?.explicit).toBe(true);
      for (const owner of owners.keys()) table.delete(owner);
      expect([table.exists(askedName), table.exists('weave.local'), table.nameOf(askedIp)]).toEqual([
        false,
        false,
        undefined,
      ]);
    }),
    { numRuns: count(500, 20_000) },
  );
});

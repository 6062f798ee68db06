import { expect, test } from 'vitest';
import { parseCidr } from '../../../src/network/cidr.ts';
import { insertionOf, masqueradeRules } from '../../../src/network/firewall/rules.ts';

test('a rule that two networks share is inserted once', () => {
  const rules = masqueradeRules(parseCidr('10.2.0.1/16'));
  const once = insertionOf('nat', rules);
  expect(once.split('\n')).toEqual(['*nat', ...Array(3).fill(expect.stringMatching(/^-I /)), 'COMMIT', '']);
  expect(insertionOf('nat', [...rules, ...rules])).toBe(once);
});

import { expect, test } from 'vitest';
import { ttlOf } from '../../../src/dns/zones/settings.ts';

const rules = { '*': 5, web: 30, 'we*': 10, 'web*': 20, '__proto__*': 7 };

test.each([
  ['web', 30],
  ['webmail', 20],
  ['west', 10],
  ['solo', 5],
  ['constructor', 5],
  ['__proto__x', 7],
])('the most exact rule for %s gives %i seconds', (service, seconds) => {
  expect(ttlOf(rules, service)).toBe(seconds);
});

test.each(['web', 'constructor', '__proto__'])('without rules, %s has no time to live', (service) => {
  expect(ttlOf({}, service)).toBe(0);
});

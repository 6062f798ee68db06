import { expect, test } from 'vitest';
import { parseServiceTtl, parseTtl } from '../../src/dns/ttl.ts';

test.each([
  ['0', 0],
  ['30', 30],
  ['30s', 30],
  ['5m', 300],
  ['1h', 3600],
  ['2147483647', 2_147_483_647],
])('%s is %i seconds', (text, seconds) => {
  expect(parseTtl(text)).toBe(seconds);
});

test.each(['', '-1', '1.5', '30ms', '1d', 's', '2147483648', '99999999999'])('%s is no TTL', (text) => {
  expect(() => parseTtl(text)).toThrow(`\`${text}\` is not a TTL`);
});

test.each([
  ['Web=30s', 'web', 30],
  ['web*=10', 'web*', 10],
  ['*=5s', '*', 5],
])('%s is for %s', (text, pattern, seconds) => {
  expect(parseServiceTtl(text)).toEqual([pattern, seconds]);
});

test.each(['web', '=5', '*web=5', 'web**=5', 'web=soon', ''])('`%s` is for no service', (text) => {
  expect(() => parseServiceTtl(text)).toThrow(/expected/);
});

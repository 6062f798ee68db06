import { expect, test } from 'vitest';
import { parseCidr } from '../../src/network/cidr.ts';
import { macFor, randomMac } from '../../src/network/mac.ts';

const mac = (...cidrs: string[]): string => macFor(cidrs.map(parseCidr)).toString('hex');

test('a MAC is 0a:58 and the first IPv4 address', () => {
  expect(mac('10.2.1.1/16')).toBe('0a580a020101');
  expect(mac('fd00::1/64', '10.2.1.2/16', '10.2.1.1/16')).toBe('0a580a020102');
});

test('without an IPv4 address it derives from the IPv6 one, and differs from every MAC of an IPv4 address', () => {
  expect(mac('fd00::1/64')).toMatch(/^0a59[0-9a-f]{8}$/);
  expect(mac('fd00::1/64')).toBe(mac('fd00:0::1/48'));
  expect(mac('fd00::1/64')).not.toBe(mac('fd00::2/64'));
});

test('a bridge gets a random MAC that no container can have', () => {
  expect(randomMac().toString('hex')).toMatch(/^0a5a[0-9a-f]{8}$/);
  expect(randomMac()).not.toEqual(randomMac());
});

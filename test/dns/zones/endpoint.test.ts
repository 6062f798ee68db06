import { expect, test } from 'vitest';
import { hexOf, ofHex, parseEndpoint } from '../../../src/dns/zones/endpoint.ts';

test.each([
  ['10.2.1.1', { family: 4, ip: '10.2.1.1' }],
  ['10.2.1.50/16', { family: 4, ip: '10.2.1.50' }],
  [' 10.2.1.1', { family: 4, ip: '10.2.1.1' }],
  ['fd00:2::5', { family: 6, ip: 'fd00:2::5' }],
  ['FD00:2:0:0::5/64', { family: 6, ip: 'fd00:2::5' }],
  ['::ffff:10.2.1.30', { family: 4, ip: '10.2.1.30' }],
  ['backend.example.com', { host: 'backend.example.com' }],
  ['Backend.example.com.', { host: 'Backend.example.com' }],
  ['10.2.1.300', { host: '10.2.1.300' }],
  ['', undefined],
  ['.', undefined],
  ['a..b', undefined],
  ['x'.repeat(64), undefined],
])('the address %s', (address, expected) => {
  expect(parseEndpoint(address)).toEqual(expected);
});

test.each([
  ['10.2.1.1', '0a020101'],
  ['fd00:2::5', 'fd000002000000000000000000000005'],
])('%s is spelled %s', (ip, digits) => {
  expect(hexOf(ip)).toBe(digits);
  expect(ofHex(digits)).toEqual({ family: digits.length === 8 ? 4 : 6, ip });
});

test.each([
  ['0a0201', 'unknown'],
  ['0a02010', 'unknown'],
  ['', 'unknown'],
  ['0a0201010', undefined],
  ['zz020101', undefined],
  ['fd00000200000000000000000000000g', undefined],
])('`%s` spells no address', (digits, expected) => {
  expect(ofHex(digits)).toBe(expected);
});

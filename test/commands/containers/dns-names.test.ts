import { expect, test } from 'vitest';
import { nameRequest } from '../../../src/commands/containers/dns-names.ts';

const request = (line: string, name?: string) =>
  nameRequest({ args: line === '' ? [] : line.split(' '), options: name === undefined ? {} : { name } });

test.each([
  ['web', undefined, { ips: [], container: 'web' }],
  ['web', 'front', { ips: [], container: 'web', name: 'front' }],
  ['10.2.1.1 10.2.1.2 web', 'front', { ips: ['10.2.1.1', '10.2.1.2'], container: 'web', name: 'front' }],
  ['web 10.2.1.1', undefined, { ips: ['10.2.1.1'], container: 'web' }],
  ['10.2.1.1 10.2.1.1 FD00::1', 'printer', { ips: ['10.2.1.1', 'fd00::1'], name: 'printer' }],
  // A container's name may be a number, and many numbers are addresses to somebody.
  ['1234', undefined, { ips: [], container: '1234' }],
])('%s -h %s', (line, name, expected) => {
  expect(request(line, name)).toEqual(expected);
});

test.each([
  ['', undefined, 'expected a container, or addresses and a name'],
  ['', 'front', 'expected a container, or addresses and a name'],
  ['10.2.1.1', undefined, 'expected a container, or addresses and a name'],
  ['10.2.1.300 web', 'front', "'10.2.1.300' is not an IP address"],
  ['web db', 'front', "expected addresses, then one container; got 'web', 'db'"],
  ['10.2.1.1/16', 'front', "'10.2.1.1/16' is not an IP address"],
])('%s -h %s is refused', (line, name, why) => {
  expect(() => request(line, name)).toThrow(why);
});

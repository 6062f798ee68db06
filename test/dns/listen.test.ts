import { expect, test } from 'vitest';
import { formatListen, listensAt, parseListen, parseServer } from '../../src/dns/listen.ts';
import { HeddleError } from '../../src/errors.ts';

test.each([
  ['172.17.0.1', '172.17.0.1', 53],
  ['127.0.0.1:5353', '127.0.0.1', 5353],
  ['0.0.0.0:0', '0.0.0.0', 0],
  ['fd00::1', 'fd00::1', 53],
  ['::', '::', 53],
  ['[fd00::1]', 'fd00::1', 53],
  ['[fd00::1]:65535', 'fd00::1', 65_535],
])('%s can be listened on', (text, ip, port) => {
  expect(parseListen(text)).toEqual({ ip, port });
  expect(parseListen(formatListen({ ip, port }))).toEqual({ ip, port });
});

test.each([
  ['', '`` is not an IP address'],
  ['docker0', '`docker0` is not an IP address'],
  ['10.0.0.300', '`10.0.0.300` is not an IP address'],
  ['10.0.0.1/16', '`10.0.0.1/16` is not an IP address'],
  ['10.0.0.1:', '`` is not a port'],
  ['10.0.0.1:65536', '`65536` is not a port'],
  ['10.0.0.1:-1', '`-1` is not a port'],
  ['10.0.0.1:53x', '`53x` is not a port'],
  ['10.0.0.1:53:53', 'needs brackets'],
  ['fd00::x:53', 'needs brackets'],
  ['[10.0.0.1]:53', '`10.0.0.1` in brackets is not an IPv6 address'],
  ['[fd00::1]53', 'needs brackets'],
])('`%s` is refused: %s', (text, why) => {
  const parse = () => parseListen(text);
  expect(parse).toThrow(HeddleError);
  expect(parse).toThrow(why);
});

test.each(['10.0.0.2:0', '[fd00::2]:0'])('%s is no server to ask', (text) => {
  expect(() => parseServer(text)).toThrow('`0` is not a port from 1 to 65535');
});

test.each([
  ['172.17.0.1', '172.17.0.1', true],
  ['172.17.0.1', '172.17.0.1:5353', false],
  ['172.17.0.1', '127.0.0.53', false],
  ['127.0.0.1:5353', '127.0.0.1', false],
  ['0.0.0.0', '127.0.0.53', true],
  ['0.0.0.0', '10.0.0.2', false],
  ['0.0.0.0', '::1', false],
  ['::', '::1', true],
  ['[fd00::1]:53', 'fd00:0::0:1', true],
])('who listens on %s is met at %s: %s', (own, address, met) => {
  const isHost = (ip: string) => ip.startsWith('127.') || ip === '::1';
  expect(listensAt(parseListen(own), parseListen(address), isHost)).toBe(met);
});

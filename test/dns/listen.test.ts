import { expect, test } from 'vitest';
import { formatListen, parseListen } from '../../src/dns/listen.ts';
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

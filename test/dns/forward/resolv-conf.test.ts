import { expect, test } from 'vitest';
import { parseResolvConf } from '../../../src/dns/forward/resolv-conf.ts';

test.each([
  ['nameserver 10.0.0.2\nnameserver 10.0.0.3', ['10.0.0.2', '10.0.0.3']],
  ['# comment\n; comment\n#nameserver 10.0.0.9\nnameserver\t10.0.0.2  \r\n', ['10.0.0.2']],
  ['nameserver fd00::53\nnameserver fe80::1%eth0', ['fd00::53', 'fe80::1%eth0']],
  ['nameserver 10.0.0.2\nnameserver 10.0.0.2', ['10.0.0.2']],
  ['nameserver\nnameserver localhost\nnameserver 10.0.0.300\nnameservers 10.0.0.2', []],
  ['search example.com\noptions edns0\ndomain x', []],
  ['', []],
  ['nameserver 10.0.0.1 10.0.0.2', ['10.0.0.1']],
  [
    Array.from({ length: 100 }, (_, index) => `nameserver 10.0.0.${index}`).join('\n'),
    Array.from({ length: 8 }, (_, index) => `10.0.0.${index}`),
  ],
])('the servers of %j', (text, servers) => {
  expect(parseResolvConf(text).servers).toEqual(servers);
});

test.each([
  ['options timeout:1 attempts:3 rotate', { timeoutMs: 1000, attempts: 3, rotate: true }],
  ['options timeout:1\noptions timeout:4 edns0', { timeoutMs: 4000, rotate: false }],
  ['options timeout:99 attempts:99', { timeoutMs: 30_000, attempts: 5, rotate: false }],
  ['options timeout:0 attempts:0', { timeoutMs: 1000, attempts: 1, rotate: false }],
  ['options edns0 use-vc', { rotate: false, useTcp: true }],
  ['options timeout:x attempts rotated timeout: attempts:-1', { rotate: false }],
  ['#options rotate\nsearch rotate\noptions ndots:2', { rotate: false }],
])('the options of %j', (text, options) => {
  expect(parseResolvConf(text)).toEqual({ servers: [], ...options });
});

import { expect, test } from 'vitest';
import { ClientAddresses, encodeSockaddr } from '../../../src/dns/server/sockaddr.ts';

test.each([
  ['127.0.0.1', 53, '0200 0035 7f000001 0000000000000000'],
  ['10.2.1.255', 65_535, '0200 ffff 0a0201ff 0000000000000000'],
  ['::1', 53, '0a00 0035 00000000 00000000000000000000000000000001 00000000'],
  ['fd00::1', 5353, '0a00 14e9 00000000 fd000000000000000000000000000001 00000000'],
])('%s and port %i are these bytes, and back', (ip, port, hex) => {
  expect(encodeSockaddr(ip, port).toString('hex')).toBe(hex.replaceAll(' ', ''));
  const clients = new ClientAddresses(ip.includes(':') ? 6 : 4);
  for (let turn = 0; turn < 2; turn += 1) {
    expect(clients.textOf(encodeSockaddr(ip, port))).toBe(ip);
    expect(clients.sockaddrOf(ip, port + turn - 1).readUInt16BE(2)).toBe(port + turn - 1);
    expect(clients.sockaddrOf(ip, port)).toEqual(encodeSockaddr(ip, port));
  }
});

test('more clients than are cached are still distinguished', () => {
  const clients = new ClientAddresses(4);
  for (let index = 0; index < 10_000; index += 1) {
    const ip = `10.0.${index >> 8}.${index & 255}`;
    expect(clients.textOf(encodeSockaddr(ip, 1))).toBe(ip);
    expect(clients.sockaddrOf(ip, 1)).toEqual(encodeSockaddr(ip, 1));
  }
});

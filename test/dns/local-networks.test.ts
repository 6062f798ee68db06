import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { LocalNetworks } from '../../src/dns/local-networks.ts';

const described = (address: string, cidr: string) =>
  ({ address, cidr, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo;
const host = {
  lo: [described('127.0.0.1', '127.0.0.1/8'), described('::1', '::1/128')],
  eth0: [described('192.0.2.2', '192.0.2.2/24'), described('fe80::1', 'fe80::1/64')],
  weave: [described('10.2.0.1', '10.2.0.1/16')],
};

test.each([
  ['127.0.0.1', true, true],
  ['127.0.0.53', true, true],
  ['::1', true, true],
  ['192.0.2.2', true, true],
  ['192.0.2.77', true, false],
  ['10.2.255.1', true, false],
  ['fe80::2%eth0', true, false],
  ['fe80::1%eth0', true, true],
  ['10.3.0.1', false, false],
  ['8.8.8.8', false, false],
  ['2001:db8::1', false, false],
])('%s: in a network of this host: %s, its own: %s', (ip, local, own) => {
  const networks = new LocalNetworks({ interfaces: () => host });
  expect([networks.includes(ip), networks.isOwn(ip)]).toEqual([local, own]);
});

test('a new bridge is noticed with its first container, a removed one within a second', () => {
  let now = 0;
  let readings = 0;
  let interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = {};
  const networks = new LocalNetworks({
    interfaces: () => {
      readings++;
      return interfaces;
    },
    now: () => now,
  });
  expect(networks.includes('10.2.1.1')).toBe(false);
  interfaces = host;
  now = 20;
  expect(networks.includes('10.2.1.1')).toBe(true);
  interfaces = {};
  now = 1_019;
  expect(networks.includes('10.2.1.1')).toBe(true);
  now = 1_020;
  expect(networks.includes('10.2.1.1')).toBe(false);
  readings = 0;
  for (let query = 0; query < 1000; query++) networks.includes('8.8.8.8');
  expect(readings).toBe(0);
});

test('the last result stays in use while the system call fails', () => {
  let now = 0;
  let interfaces = () => host as NodeJS.Dict<NetworkInterfaceInfo[]>;
  const networks = new LocalNetworks({ interfaces: () => interfaces(), now: () => now });
  expect(networks.includes('10.2.1.1')).toBe(true);
  interfaces = () => {
    throw new Error('uv_interface_addresses returned EMFILE');
  };
  now = 1_000;
  const asked = ['10.2.1.1', '10.2.1.2', '8.8.8.8'];
  expect(asked.map((ip) => networks.includes(ip))).toEqual([true, true, false]);
  expect(networks.isOwn('10.2.0.1')).toBe(true);
  interfaces = () => ({});
  now = 2_000;
  expect(networks.includes('10.2.1.1')).toBe(false);
});

test('loopback is local even without an interface', () => {
  const networks = new LocalNetworks({ interfaces: () => ({}) });
  expect([networks.includes('127.0.0.1'), networks.includes('::1')]).toEqual([true, true]);
});

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AddressReader } from '../../src/addresses/address-reader.ts';
import { HeddleError } from '../../src/errors.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { FakeNetworkEngine } from '../support/fake-network.ts';

const sample = fileURLToPath(new URL('../data/proc-net', import.meta.url));

test('addresses come from the network engine', async () => {
  const network = new FakeNetworkEngine();
  const warnings: string[] = [];
  const reader = new AddressReader({ network, warn: (sentence) => warnings.push(sentence) });
  network.addNamespace('/proc/7/ns/net');
  network.setAddresses('/proc/7/ns/net', 'ethwe', [parseCidr('10.2.1.1/16')]);
  expect(await reader.read('/proc/7/ns/net')).toMatchObject([{ ip: '10.2.1.1', interface: 'ethwe' }]);
  await expect(reader.read('/proc/8/ns/net')).rejects.toMatchObject({ code: 'not-running' });
  expect(warnings).toEqual([]);
});

test.each(['not-permitted', 'not-supported'] as const)(
  'they come from /proc if netlink is %s, which is reported once',
  async (code) => {
    const refusal = new HeddleError(code, 'cannot enter: run heddle with the capability SYS_ADMIN');
    const warnings: string[] = [];
    const network = { addresses: () => Promise.reject(refusal) };
    const reader = new AddressReader({ network, warn: (sentence) => warnings.push(sentence) });
    for (let time = 0; time < 2; time++) {
      const addresses = await reader.read(`${sample}/attached/ns/net`);
      expect(addresses[0]).toMatchObject({ ip: '10.2.1.1', interface: 'ethwe' });
    }
    expect(warnings).toEqual([expect.stringContaining('SYS_ADMIN')]);
  },
);

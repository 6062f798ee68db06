import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AddressFacts, chooseAddress } from '../../src/addresses/choose-address.ts';
import { parsePolicy } from '../../src/addresses/policy.ts';
import type { ContainerNetwork, PublishedPort, Snapshot } from '../../src/docker/snapshot.ts';
import type { Address } from '../../src/network/address.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import type { Cidr } from '../../src/network/engine.ts';
import { snapshot } from '../support/snapshot.ts';

const SNAPSHOT = snapshot('4f5e', { name: 'web', pid: 77 });

const on = (device: string, ...cidrs: string[]): Address[] =>
  cidrs.map((cidr) => ({ ...parseCidr(cidr), interface: device }));
const publishing = (...published: PublishedPort[]): Partial<Snapshot> => ({
  ports: [
    { port: 53, protocol: 'udp', published: [] },
    { port: 80, protocol: 'tcp', published },
  ],
});
const networks = (...names: [string, string, string?][]): { networks: ContainerNetwork[] } => ({
  networks: names.map(([name, ipv4, ipv6 = '']) => ({ name, ipv4, ipv6 })),
});
const everywhere: PublishedPort = { hostIp: '0.0.0.0', hostPort: 8080 };
const here = (hostIp: string): PublishedPort => ({ hostIp, hostPort: 8080 });

interface Given extends Partial<Pick<AddressFacts, 'addresses' | 'hostNetwork'>> {
  readonly snapshot?: Partial<Snapshot>;
  readonly bridgeSubnets?: readonly Cidr[];
  readonly hostAddress?: string | undefined;
}
const facts = (given: Given): AddressFacts => {
  const { snapshot, bridgeSubnets, hostAddress, ...rest } = { hostAddress: '192.168.0.10', ...given };
  return {
    snapshot: { ...SNAPSHOT, ...snapshot },
    addresses: [],
    bridgeSubnets: async () => bridgeSubnets ?? [],
    hostAddress: async () => (hostAddress === undefined ? undefined : { ip: hostAddress, origin: '--ip' }),
    hostNetwork: false,
    ...rest,
  };
};
const SHARES = "the container shares the host's network";

describe('a term that matches', () => {
  test.each<[string, string, Given, { ip: string; ipv6?: string; reason: string; hostPorts?: boolean }]>([
    [
      'ethwe',
      'takes the interface ethwe before any other',
      { addresses: [...on('eth0', '172.17.0.2/16'), ...on('ethwe', '10.2.1.1/16')] },
      { ip: '10.2.1.1', reason: 'ethwe has 10.2.1.1/16' },
    ],
    [
      'ethwe',
      'takes ethwe0 of the network plugins',
      { addresses: on('ethwe0', '10.2.1.1/16') },
      { ip: '10.2.1.1', reason: 'ethwe0 has 10.2.1.1/16' },
    ],
    [
      'ethwe',
      'takes ethwe before ethwe0',
      { addresses: [...on('ethwe0', '10.2.1.1/16'), ...on('ethwe', '10.2.1.2/16')] },
      { ip: '10.2.1.2', reason: 'ethwe has 10.2.1.2/16' },
    ],
    [
      'ethwe',
      'takes the first of each family, IPv4 before IPv6',
      { addresses: on('ethwe', 'fd00::1/64', '10.2.1.9/16', '10.2.1.1/16', 'fd00::2/64') },
      { ip: '10.2.1.9', ipv6: 'fd00::1', reason: 'ethwe has 10.2.1.9/16 and fd00::1/64' },
    ],
    [
      'ethwe',
      'takes no additional address of another interface',
      { addresses: [...on('ethwe', '10.2.1.1/16'), ...on('eth0', 'fd00:17::2/64')] },
      { ip: '10.2.1.1', reason: 'ethwe has 10.2.1.1/16' },
    ],
    [
      'ethwe',
      'takes IPv6 if there is nothing else',
      { addresses: on('ethwe', 'fd00::1/64') },
      { ip: 'fd00::1', reason: 'ethwe has fd00::1/64' },
    ],
    [
      'iface:net1',
      'takes that interface',
      { addresses: [...on('ethwe', '10.2.1.1/16'), ...on('net1', '10.9.0.1/24')] },
      { ip: '10.9.0.1', reason: 'net1 has 10.9.0.1/24' },
    ],
    [
      'bridge',
      'takes an address in the subnet of the weave bridge, on eth0 if it is the bridge of Docker',
      { addresses: on('eth0', '10.2.1.4/16'), bridgeSubnets: [parseCidr('10.2.0.1/16')] },
      { ip: '10.2.1.4', reason: 'eth0 has 10.2.1.4/16, inside 10.2.0.0/16 of the weave bridge' },
    ],
    [
      'bridge',
      'takes one of each family in the subnets of the weave bridge',
      {
        addresses: on('eth0', 'fd00:9::4/64', 'fd00:2::4/64', '10.2.1.4/16'),
        bridgeSubnets: ['10.2.0.1/16', 'fd00:2::1/64'].map(parseCidr),
      },
      {
        ip: '10.2.1.4',
        ipv6: 'fd00:2::4',
        reason:
          'eth0 has 10.2.1.4/16 and eth0 has fd00:2::4/64, ' +
          'inside 10.2.0.0/16 and fd00:2::/64 of the weave bridge',
      },
    ],
    [
      'cidr:10.2.0.0/16',
      'takes nothing outside of it, such as the other family',
      { addresses: on('ethwe', '10.2.1.4/16', 'fd00::4/64') },
      { ip: '10.2.1.4', reason: 'ethwe has 10.2.1.4/16, inside 10.2.0.0/16 of the policy' },
    ],
    [
      'cidr:10.2.0.0/16',
      'takes an address inside it on any interface, even an unknown one',
      { addresses: [...on('eth0', '172.17.0.2/16'), ...on('', '10.2.1.4/32')] },
      { ip: '10.2.1.4', reason: 'an interface has 10.2.1.4/32, inside 10.2.0.0/16 of the policy' },
    ],
    [
      'network:front',
      'takes the address that Docker assigned there',
      { snapshot: networks(['back', '172.18.0.2'], ['front', '172.19.0.2']) },
      { ip: '172.19.0.2', reason: 'Docker gave it 172.19.0.2 on network front' },
    ],
    [
      'network:front',
      'takes an IPv6 address if there is no other',
      { snapshot: networks(['front', '', 'fd00:19::2']) },
      { ip: 'fd00:19::2', reason: 'Docker gave it fd00:19::2 on network front' },
    ],
    [
      'network:front',
      'takes both addresses that Docker assigned there, and none of another network',
      { snapshot: networks(['back', '172.18.0.2', 'fd00:18::2'], ['front', '172.19.0.2', 'fd00:19::2']) },
      {
        ip: '172.19.0.2',
        ipv6: 'fd00:19::2',
        reason: 'Docker gave it 172.19.0.2 and fd00:19::2 on network front',
      },
    ],
    [
      'internal',
      'takes both families from one network, even if only the second network has IPv6',
      {
        snapshot: {
          networkMode: 'web',
          ...networks(['app', '172.18.0.2', 'fd00:18::2'], ['web', '172.19.0.2']),
        },
      },
      { ip: '172.19.0.2', reason: 'Docker gave it 172.19.0.2 on network web' },
    ],
    [
      'internal',
      'takes the network on which the container was started',
      { snapshot: { networkMode: 'web', ...networks(['app', '172.18.0.2'], ['web', '172.19.0.2']) } },
      { ip: '172.19.0.2', reason: 'Docker gave it 172.19.0.2 on network web' },
    ],
    [
      'internal',
      "takes podman's default network, which it calls bridge in one place and podman in another",
      { snapshot: { networkMode: 'bridge', ...networks(['app', '10.89.0.2'], ['podman', '10.88.0.2']) } },
      { ip: '10.88.0.2', reason: 'Docker gave it 10.88.0.2 on network podman' },
    ],
    [
      'internal',
      'takes the first network by name with an address',
      { snapshot: { networkMode: 'none', ...networks(['z', '172.19.0.2'], ['b', '172.18.0.2'], ['a', '']) } },
      { ip: '172.18.0.2', reason: 'Docker gave it 172.18.0.2 on network b' },
    ],
    [
      'internal',
      "takes eth0 of a container in another one's network",
      { snapshot: { networkMode: 'container:abc' }, addresses: on('eth0', 'fd00:17::2/64', '172.17.0.2/16') },
      { ip: '172.17.0.2', ipv6: 'fd00:17::2', reason: 'eth0 has 172.17.0.2/16 and fd00:17::2/64' },
    ],
    [
      'internal',
      "takes the host's address in the host's network",
      { hostNetwork: true },
      { ip: '192.168.0.10', reason: `${SHARES}, whose address is 192.168.0.10 by --ip` },
    ],
    [
      'published',
      "takes the host's address, with the host's ports",
      { snapshot: publishing(here('127.0.0.1'), everywhere) },
      {
        ip: '192.168.0.10',
        reason: 'it publishes a port on the host, whose address is 192.168.0.10 by --ip',
        hostPorts: true,
      },
    ],
    [
      'published',
      'takes the address at which a port is published, and needs no other',
      { snapshot: publishing(here('192.168.7.7')), hostAddress: undefined },
      { ip: '192.168.7.7', reason: 'it publishes a port on the host, at 192.168.7.7', hostPorts: true },
    ],
    [
      'published',
      "takes the host's address in the host's network, where the ports are the host's own",
      { hostNetwork: true },
      { ip: '192.168.0.10', reason: `${SHARES}, whose address is 192.168.0.10 by --ip` },
    ],
  ])('%s %s', async (term, _, given, expected) => {
    expect(await chooseAddress(parsePolicy(term), facts(given))).toEqual({
      chosen: true,
      term,
      hostPorts: false,
      ...expected,
    });
  });
});

const WAYS = ['0.0.0.0', '::', '::0', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', '::ffff:0:0', '::0.0.0.0', ''];

describe('an unspecified address is no address', () => {
  test.each(WAYS)('a port that is published at %j is published at every address', async (hostIp) => {
    const published = facts({ snapshot: publishing(here(hostIp)) });
    expect(await chooseAddress(parsePolicy('published'), published)).toMatchObject({ ip: '192.168.0.10' });
    const nowhere = facts({ snapshot: publishing(here(hostIp)), hostAddress: undefined });
    expect(await chooseAddress(parsePolicy('published'), nowhere)).toMatchObject({ chosen: false });
  });

  test('it is never announced, whether it comes from the host, Docker or a port', async () => {
    const ways = fc.constantFrom(...WAYS.filter(Boolean));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('internal', 'published', 'network:front'),
        ways,
        ways,
        fc.boolean(),
        async (term, ip, host, hostNetwork) => {
          const snapshot = { ...publishing(here(ip)), ...networks(['front', ip, ip]) };
          const given = facts({ snapshot, hostAddress: host, hostNetwork });
          expect(await chooseAddress(parsePolicy(term), given)).toMatchObject({ chosen: false });
        },
      ),
    );
  });
});

describe('a term that does not match gives a reason', () => {
  test.each<[string, Given, string]>([
    ['ethwe', { addresses: on('eth0', '10.2.1.1/16') }, 'no address on ethwe or ethwe0'],
    ['ethwe', { addresses: on('', '10.2.1.1/16') }, 'no address on ethwe or ethwe0'],
    ['ethwe', { hostNetwork: true, addresses: on('ethwe', '10.2.0.1/16') }, SHARES],
    [
      'ethwe',
      { snapshot: { pid: 0 }, addresses: on('ethwe', '10.2.1.1/16') },
      'the container is not running',
    ],
    ['iface:net1', { addresses: on('net2', '10.2.1.1/16') }, 'no address on net1'],
    ['bridge', { addresses: on('eth0', '10.2.1.1/16') }, 'the weave bridge has no address'],
    [
      'bridge',
      { addresses: on('eth0', '172.17.0.2/16'), bridgeSubnets: ['10.2.0.1/16', 'fd00::1/64'].map(parseCidr) },
      'no address inside 10.2.0.0/16 or fd00::/64',
    ],
    ['cidr:10.2.0.0/16', { addresses: on('ethwe', '10.3.0.1/16') }, 'no address inside 10.2.0.0/16'],
    ['cidr:10.2.0.0/16', { hostNetwork: true, addresses: on('weave', '10.2.0.1/16') }, SHARES],
    ['network:front', { snapshot: networks(['back', '172.18.0.2']) }, 'not on network front, but on back'],
    ['network:front', {}, 'not on network front, nor any other'],
    ['network:front', { snapshot: networks(['front', '']) }, 'Docker gave it no address on network front'],
    ['internal', { snapshot: networks(['none', '']) }, 'Docker gave it no address'],
    ['internal', { hostNetwork: true, hostAddress: undefined }, "the host's address is unknown: give --ip"],
    ['internal', { hostNetwork: true, hostAddress: '0.0.0.0' }, "the host's address is unknown: give --ip"],
    ['internal', { snapshot: networks(['bridge', '0.0.0.0', '::']) }, 'Docker gave it no address'],
    ['published', { snapshot: publishing() }, 'it publishes no port on the host'],
    [
      'published',
      { snapshot: publishing(here('127.0.0.1'), here('::1')) },
      "it publishes ports on the host's loopback address alone",
    ],
    [
      'published',
      { snapshot: publishing(everywhere), hostAddress: undefined },
      "the host's address is unknown: give --ip",
    ],
  ])('%s', async (term, given, why) => {
    const choice = await chooseAddress(parsePolicy(term), facts(given));
    expect(choice).toEqual({ chosen: false, tried: [{ term, why }] });
  });
});

describe('the policy as a whole', () => {
  const all: Given = {
    snapshot: { ...publishing(everywhere), ...networks(['bridge', '172.17.0.2']) },
    addresses: [...on('eth0', '172.17.0.2/16'), ...on('ethwe', '10.2.1.1/16')],
  };

  test('takes the first term that matches, not the best', async () => {
    const choose = (policy: string) => chooseAddress(parsePolicy(policy), facts(all));
    expect(await choose('published,ethwe')).toMatchObject({ term: 'published' });
    expect(await choose('ethwe,published')).toMatchObject({ term: 'ethwe' });
    expect(await choose('bridge,internal')).toMatchObject({ term: 'internal' });
  });

  test('reads no fact about the host for a term that needs none', async () => {
    const read: string[] = [];
    const given: AddressFacts = {
      ...facts(all),
      async bridgeSubnets() {
        read.push('bridge');
        return [];
      },
      async hostAddress() {
        read.push('host');
        return { ip: '192.168.0.10', origin: '--ip' };
      },
    };
    await chooseAddress(parsePolicy('ethwe,bridge,published'), given);
    await chooseAddress(parsePolicy('internal'), given);
    expect(read).toEqual([]);
    await chooseAddress(parsePolicy('bridge,published'), given);
    expect(read).toEqual(['bridge', 'host']);
  });

  test('gives a reason for each term when none matches', async () => {
    const choice = await chooseAddress(parsePolicy('ethwe,bridge,published'), facts({}));
    expect(choice).toMatchObject({
      chosen: false,
      tried: [{ term: 'ethwe' }, { term: 'bridge' }, { term: 'published' }],
    });
  });

  test('does not depend on the order of Docker’s networks, nor of families', async () => {
    const three = networks(['a', '172.18.0.2'], ['b', '172.19.0.2'], ['c', '172.20.0.2']).networks;
    const addresses = on('ethwe', '10.2.1.1/16', 'fd00::1/64');
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(three, { minLength: 3 }),
        fc.shuffledSubarray(addresses, { minLength: 2 }),
        async (shuffled, mixed) => {
          const given = facts({ snapshot: { networkMode: 'b', networks: shuffled }, addresses: mixed });
          expect(await chooseAddress(parsePolicy('internal'), given)).toMatchObject({ ip: '172.19.0.2' });
          expect(await chooseAddress(parsePolicy('ethwe'), given)).toMatchObject({
            ip: '10.2.1.1',
            ipv6: 'fd00::1',
          });
        },
      ),
    );
  });
});

describe("Swarm's ingress network", () => {
  const task = new Map([['com.docker.swarm.task.id', 't1']]);
  const both = networks(['ingress', '10.255.0.3'], ['overlay', '10.0.1.3']);
  const choose = (policy: string, snapshot: Partial<Snapshot>) =>
    chooseAddress(parsePolicy(policy), facts({ snapshot }));

  test('is never announced for a task, by any term', async () => {
    expect(await choose('internal', { ...both, metadata: task })).toMatchObject({ ip: '10.0.1.3' });
    for (const policy of ['internal', 'network:ingress', 'internal,network:ingress']) {
      const alone = { ...networks(['ingress', '10.255.0.3']), metadata: task };
      expect(await choose(policy, alone)).toMatchObject({
        chosen: false,
        tried: expect.arrayContaining([expect.objectContaining({ why: expect.stringContaining('ingress') })]),
      });
    }
  });

  test('is an ordinary network without Swarm', async () => {
    expect(await choose('internal', networks(['ingress', '172.30.0.2']))).toMatchObject({ ip: '172.30.0.2' });
  });
});

import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { reverseName } from '../../../src/dns/lookup.ts';
import { NameTable } from '../../../src/dns/names/name-table.ts';
import { readQuery } from '../../../src/dns/wire/message.ts';
import { emptyReply, type Question, type Reply } from '../../../src/dns/zone.ts';
import { ReverseZone, reverseAddress } from '../../../src/dns/zones/reverse.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../../src/dns/zones/settings.ts';
import { parseCidr } from '../../../src/network/cidr.ts';
import { queryBytes } from '../ask.ts';
import { questionOf } from '../question.ts';
import { RecordedView } from '../recorded-view.ts';

const NIBBLES = '5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.0.0.d.f';

test.each([
  ['1.1.2.10.in-addr.arpa', '10.2.1.1'],
  [`${NIBBLES}.ip6.arpa`, 'fd00:2::5'],
  ['1.2.10.in-addr.arpa', undefined],
  ['0.1.1.2.10.in-addr.arpa', undefined],
  ['256.1.2.10.in-addr.arpa', undefined],
  ['01.1.2.10.in-addr.arpa', undefined],
  [`${NIBBLES.slice(2)}.ip6.arpa`, undefined],
  [`g${NIBBLES.slice(1)}.ip6.arpa`, undefined],
  ['in-addr.arpa', undefined],
  ['1.1.2.10.example', undefined],
])('%s is the name of %s', (name, ip) => {
  expect(reverseAddress(name.split('.'))).toBe(ip);
});

const view = new RecordedView([
  { via: 'agent-service', body: { ID: 'web-1', Name: 'web', Address: '10.2.1.1' } },
  { via: 'agent-service', body: { ID: 'store-1', Name: 'store', Address: '10.2.1.4' } },
  { via: 'agent-service', body: { ID: 'db-1', Name: 'db', Address: 'fd00:2::5' } },
]);
const names = new NameTable();
names.set('a', [
  { name: 'web.weave.local', ip: '10.2.1.1', explicit: false },
  { name: 'plain.weave.local', ip: '10.9.1.1', explicit: false },
]);
names.set('b', [{ name: 'db.weave.local', ip: 'fd00:2::6', explicit: true }]);
names.set('c', [
  { name: 'cache.weave.local', ip: '10.2.1.4', explicit: false },
  { name: 'store.weave.local', ip: '10.2.1.4', explicit: true },
]);
const ranges = ['10.2.0.0/16', 'fd00:2::/64'];
const zone = new ReverseZone({ view, names }, { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1' }, ranges);

test.each([
  ['1.1.2.10.in-addr.arpa', 'PTR', 'web.service.dc1.consul'],
  ['1.1.2.10.in-addr.arpa', 'A', 'web.service.dc1.consul'],
  [`${NIBBLES}.ip6.arpa`, 'PTR', 'db.service.dc1.consul'],
  ['1.0.0.127.in-addr.arpa', 'PTR', 'heddle-n1.node.dc1.consul'],
  ['9.9.2.10.in-addr.arpa', 'PTR', 'NXDOMAIN'],
  [`7${NIBBLES.slice(1)}.ip6.arpa`, 'PTR', 'NXDOMAIN'],
  // An explicit name precedes the service, which precedes the name derived from Docker.
  ['4.1.2.10.in-addr.arpa', 'PTR', 'store.weave.local'],
  [`6${NIBBLES.slice(1)}.ip6.arpa`, 'PTR', 'db.weave.local'],
  ['1.1.9.10.in-addr.arpa', 'PTR', 'plain.weave.local'],
  ['9.9.9.9.in-addr.arpa', 'PTR', 'passed on'],
  ['web.service.consul', 'PTR', 'passed on'],
])('%s %s: %s', async (name, type, expected) => {
  const received = readQuery(queryBytes(name, type), '127.0.0.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  const reply = (await zone.resolve(received.query.question)) as Reply | undefined;
  const found = reply?.rcode === 'NOERROR' ? reply.answers.map(({ data }) => data).join() : reply?.rcode;
  expect(found ?? 'passed on').toBe(expected);
  expect(reply?.authorities.length ?? 0).toBe(expected === 'NXDOMAIN' ? 1 : 0);
});

test('the address of our own node names the node, whatever service is there, once it is known', async () => {
  const settings = { ...SERVICE_ZONE_DEFAULTS, node: 'host-1' };
  const nameOf = async (nodeAddress: string | undefined, name: string) => {
    const own = new ReverseZone({ view, names }, { ...settings, nodeAddress }, ranges);
    const reply = (await own.resolve(questionOf(name, 'PTR'))) as Reply | undefined;
    return reply?.answers[0]?.data;
  };
  expect(await nameOf('192.0.2.1', '1.2.0.192.in-addr.arpa')).toBe('host-1.node.dc1.consul');
  expect(await nameOf('10.2.1.1', '1.1.2.10.in-addr.arpa')).toBe('host-1.node.dc1.consul');
  expect(await nameOf(undefined, '1.2.0.192.in-addr.arpa')).toBeUndefined();
});

test('an unknown private address in a network that containers are attached to does not exist', async () => {
  const networks = async () => ['10.3.0.0/16', '203.0.113.0/24', 'fd00:3::/64'].map(parseCidr);
  const own = new ReverseZone({ view, names, networks }, { ...SERVICE_ZONE_DEFAULTS, node: 'n1' }, []);
  const rcodeOf = async (ip: string) =>
    ((await own.resolve(questionOf(reverseName(ip), 'PTR'))) as Reply | undefined)?.rcode;
  expect(await Promise.all(['10.3.9.9', 'fd00:3::9'].map(rcodeOf))).toEqual(['NXDOMAIN', 'NXDOMAIN']);
  const passedOn = await Promise.all(['10.4.9.9', 'fd00:4::9', '203.0.113.9'].map(rcodeOf));
  expect(passedOn).toEqual([undefined, undefined, undefined]);
});

test.each([
  ['10.200.0.1/8', '10.99.1.1'],
  ['10.200.0.1/15', '10.201.1.1'],
  ['fd00:3::1/47', 'fd00:3:1::1'],
  ['fd00:3::1/8', 'fdff::1'],
])('an address of a container at %s denies none of its neighbours, such as %s', async (cidr, ip) => {
  const networks = async () => [parseCidr(cidr)];
  const own = new ReverseZone({ view, names, networks }, { ...SERVICE_ZONE_DEFAULTS, node: 'n1' }, []);
  expect(await own.resolve(questionOf(reverseName(ip), 'PTR'))).toBeUndefined();
});

test.each([
  ['8.8.8.8', undefined],
  ['10.2.1.1', 'web.service.dc1.consul'],
])(
  'an address from a container’s metadata, %s, is named %s: the container has to have it',
  async (ip, expected) => {
    const view = new RecordedView([
      { via: 'agent-service', body: { ID: 'web-1', Name: 'web', Address: '10.2.1.1' } },
      { via: 'agent-service', body: { ID: 'evil-1', Name: 'evil', Address: '8.8.8.8' } },
    ]);
    const has = (service: { name: string }, asked: string) => service.name === 'web' && asked === '10.2.1.1';
    const own = new ReverseZone(
      { view, names: new NameTable(), has },
      { ...SERVICE_ZONE_DEFAULTS, node: 'n1' },
      [],
    );
    const reply = (await own.resolve(questionOf(reverseName(ip), 'PTR'))) as Reply | undefined;
    expect(reply?.answers[0]?.data).toBe(expected);
  },
);

describe('an address of another host', () => {
  const known = new Map([
    ['9.9.2.10.in-addr.arpa', 'far.service.dc1.consul'],
    ['9.9.168.192.in-addr.arpa', 'host.node.dc1.consul'],
    [`8${NIBBLES.slice(1)}.ip6.arpa`, 'six.service.dc1.consul'],
    ['9.9.9.9.in-addr.arpa', 'public.service.dc1.consul'],
  ]);
  const asked: string[] = [];
  const consul = {
    resolve: async ({ name }: Question) => {
      asked.push(name);
      if (name.startsWith('7.')) throw new Error('Consul is away');
      if (name.startsWith('6.')) return emptyReply('REFUSED');
      const data = known.get(name);
      const answers = data === undefined ? [] : [{ type: 'PTR', name, data } as const];
      const rcode = answers.length > 0 ? 0 : 2;
      return {
        message: dnsPacket.encode({
          type: 'response',
          flags: rcode,
          questions: [{ name, type: 'PTR' }],
          answers,
        }),
      };
    },
  };
  const settings = { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1' };
  const both = new ReverseZone({ view, names, consul }, settings, ranges);

  test.each([
    ['9.9.2.10.in-addr.arpa', 'far.service.dc1.consul', 'in our ranges'],
    [`8${NIBBLES.slice(1)}.ip6.arpa`, 'six.service.dc1.consul', 'of IPv6'],
    ['9.9.168.192.in-addr.arpa', 'host.node.dc1.consul', 'in another private network'],
    ['8.9.2.10.in-addr.arpa', 'NXDOMAIN', 'that Consul does not know either'],
    ['7.9.2.10.in-addr.arpa', 'NXDOMAIN', 'while Consul is away'],
    ['6.9.2.10.in-addr.arpa', 'NXDOMAIN', 'that Consul refuses to resolve'],
    ['8.9.168.192.in-addr.arpa', 'passed on', 'that is not ours to deny'],
  ])('%s: %s, %s', async (name, expected) => {
    const reply = await both.resolve(questionOf(name, 'PTR'));
    const found =
      reply && 'message' in reply
        ? dnsPacket
            .decode(Buffer.from(reply.message))
            .answers?.map((record) => ('data' in record ? record.data : ''))
        : [reply?.rcode ?? 'passed on'];
    expect(found).toEqual([expected]);
    expect(asked.splice(0)).toEqual([name]);
  });

  test('is not asked from Consul if it is public, or this host’s own', async () => {
    expect(await both.resolve(questionOf('9.9.9.9.in-addr.arpa', 'PTR'))).toBeUndefined();
    expect(await both.resolve(questionOf('1.1.2.10.in-addr.arpa', 'PTR'))).toMatchObject({
      rcode: 'NOERROR',
    });
    expect(asked).toEqual([]);
  });
});

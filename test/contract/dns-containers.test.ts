import type dnsPacket from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ForwardZone } from '../../src/dns/forward/forward.ts';
import { UpstreamClient } from '../../src/dns/forward/upstream/client.ts';
import { reverseName } from '../../src/dns/lookup.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { DnsServer } from '../../src/dns/server/server.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { WeaveZone } from '../../src/dns/zones/weave.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { RecordedView } from '../dns/recorded-view.ts';
import { FakeUpstream, replyTo } from '../dns/upstream.ts';
import { type DigOptions, dataOf, dig } from '../support/dig.ts';

/** The names of containers on real sockets, asked by the real dig. */

const names = new NameTable();
names.set('web', [{ name: 'web.weave.local', ip: '10.2.1.1', explicit: true }]);
const many = Array.from({ length: 512 }, (_, n) => `10.2.${2 + Math.floor(n / 256)}.${n % 256}`);
names.set(
  'many',
  many.map((ip) => ({ name: 'many.weave.local', ip, explicit: false })),
);

let upstream: FakeUpstream;
let server: DnsServer;
const client = new UpstreamClient();

beforeAll(async () => {
  const records = {
    MX: { data: { preference: 10, exchange: 'mail.example.com' } },
    PTR: { data: 'dns.example.com' },
  } as Record<string, object>;
  upstream = await FakeUpstream.start((query) => {
    const type = query.questions?.[0]?.type ?? '';
    const asked = type in records ? type : 'MX';
    return [replyTo(query, [{ type: asked, ...records[asked] } as Partial<dnsPacket.Answer>])];
  });
  const zones = [
    new WeaveZone({ names }, { domain: 'weave.local' }),
    new ReverseZone({ view: new RecordedView([]), names }, { ...SERVICE_ZONE_DEFAULTS, node: 'h1' }, [
      '10.2.0.0/16',
    ]),
    new ForwardZone(
      {
        upstreams: { current: async () => ({ servers: [upstream.address] }) },
        client,
        isLocal: () => true,
        isOwn: () => false,
      },
      { ownDomains: ['weave.local'] },
    ),
  ];
  const resolver = new Resolver({ zones, log: silentLogger });
  const responder = new Responder({ resolver, recursionFor: () => true, log: silentLogger });
  server = new DnsServer({ responder, log: silentLogger }, { listen: [{ ip: '127.0.0.1', port: 0 }] });
  await server.start();
});
afterAll(async () => {
  client.stop();
  await server.stop();
  await upstream[Symbol.asyncDispose]();
});

const ask = (name: string, options: DigOptions = {}) =>
  dig(name, { port: server.status().listeners[0]?.address.port ?? 0, ...options });

describe.each([
  ['UDP (TestUDPDNSServer)', false],
  ['TCP (TestTCPDNSServer)', true],
])('over %s', (_, tcp) => {
  test.each([
    ['its address', 'web.weave.local', 'A', ['10.2.1.1']],
    ['nothing for a type that it has not', 'web.weave.local', 'MX', []],
    ['its name for its address', reverseName('10.2.1.1'), 'PTR', ['web.weave.local.']],
  ])('a container is answered with %s', async (_what, name, type, expected) => {
    const reply = await ask(name, { type, tcp });
    expect([reply.status, dataOf(reply)]).toEqual(['NOERROR', expected]);
    expect(reply.flags).toEqual(['qr', 'aa', 'rd', 'ra']);
  });

  test.each([
    ['nope.weave.local', 'A'],
    ['nope', 'A'],
    [reverseName('10.2.9.9'), 'PTR'],
  ])('%s %s is NXDOMAIN, and is not forwarded', async (name, type) => {
    const before = upstream.seen.length;
    expect(await ask(name, { type, tcp })).toMatchObject({ status: 'NXDOMAIN', answers: [] });
    expect(upstream.seen.length).toBe(before);
  });

  test.each([
    ['example.com', 'MX', '10 mail.example.com.'],
    ['any.example.com', 'ANY', '10 mail.example.com.'],
    [reverseName('8.8.8.8'), 'PTR', 'dns.example.com.'],
  ])('%s %s is forwarded to the host’s resolvers (weave#290)', async (name, type, expected) => {
    expect(dataOf(await ask(name, { type, tcp }))).toEqual([expected]);
  });

  test('512 addresses of one name arrive complete, over UDP after a retry over TCP', async () => {
    const reply = await ask('many.weave.local', { tcp, args: ['+noignore'] });
    expect(dataOf(reply).sort()).toEqual(many.toSorted());
  });
});

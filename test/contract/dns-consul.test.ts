import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reverseName } from '../../src/dns/lookup.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { FrameReader, frame } from '../../src/dns/wire/frames.ts';
import { RCODES } from '../../src/dns/zone.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS, type ServiceZoneSettings } from '../../src/dns/zones/settings.ts';
import { silentLogger } from '../../src/log.ts';
import { ConsulRegistry } from '../../src/registry/consul.ts';
import { CatalogRegistry } from '../../src/registry/consul-catalog.ts';
import { ConsulClient } from '../../src/registry/consul-client.ts';
import { Desired } from '../../src/registry/desired.ts';
import { Reconciler } from '../../src/registry/reconcile.ts';
import type { Registry, View } from '../../src/registry/registry.ts';
import { RegistryView } from '../../src/registry/view.ts';
import { queryBytes } from '../dns/ask.ts';
import {
  PATHS,
  type Registered,
  randomQuestion,
  randomServices,
  registrationOf,
} from '../dns/random-registry.ts';
import { flagsOf, rcodeOf, textOf } from '../dns/read.ts';
import { RecordedView, type Registration } from '../dns/recorded-view.ts';
import { ConsulAgent } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { entryOf } from '../support/roster.ts';

/**
 * The same random services in a real Consul agent and in our zones: the same answers to the same random questions.
 * Eight answers is Consul's limit over UDP, and below it there is nothing to differ about.
 */
const PROFILES = {
  'TTLs of many kinds': {
    consul: `
      dns_config {
        udp_answer_limit = 8
        node_ttl = "15s"
        service_ttl { "*" = "5s", "web" = "30s", "m*" = "20s" }
        soa { min_ttl = 7 }
      }`,
    ours: {
      nodeTtl: 15,
      serviceTtl: { '*': 5, web: 30, 'm*': 20 },
      soa: { ...SERVICE_ZONE_DEFAULTS.soa, minTtl: 7 },
    },
    runs: count(70, 700),
  },
  'only what passes, and a second domain': {
    consul: `
      alt_domain = "Alt.Example"
      dns_config { udp_answer_limit = 8, only_passing = true }`,
    ours: { onlyPassing: true, altDomain: 'Alt.Example' },
    runs: count(30, 300),
  },
};

describe.each(Object.entries(PROFILES))('with %s', (_, { consul, ours, runs }) => {
  const agent = new ConsulAgent({ portOffset: 40, configuration: `node_meta { rack = "r=1" }\n${consul}` });
  const settings = { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1', ...ours };
  beforeAll(() => agent.start());
  afterAll(() => agent.stop());

  test('random services and questions have the answers that Consul gives', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        randomServices,
        fc.array(randomQuestion, { minLength: 30, maxLength: 30 }),
        async ([plain, alias], questions) => {
          const registrations = [...plain, ...(alias ? [alias] : [])].map(registrationOf);
          for (const { via, body } of registrations) await agent.put(PATHS[via], body);
          try {
            const view = new RecordedView(registrations as Registration[], {
              'consul-network-segment': '',
              rack: 'r=1',
            });
            for (const { name, type, rd, cd, size, transport } of questions) {
              const packet = queryBytes(name, type, { rd, cd, edns: { size } });
              const theirs = await askConsul(agent.dnsPort, packet, transport);
              const reply = await responder(view, settings).respond(packet, '127.0.0.1', transport);
              expect(told(reply as Buffer), `${name} ${type}`).toEqual(told(theirs));
              if (isComparable(theirs, name))
                expect(reply?.length, `${name} ${type}`).toBeLessThanOrEqual(theirs.length);
            }
          } finally {
            for (const { body } of registrations) await forget(agent, body);
          }
        },
      ),
      { numRuns: runs, endOnFailure: true },
    );
  });
});

describe('a container with addresses of both families', () => {
  const agent = new ConsulAgent({ portOffset: 40 });
  const settings = { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1' };
  beforeAll(() => agent.start());
  afterAll(() => agent.stop());

  test.each<[string, (client: ConsulClient) => Registry]>([
    ['its agent', (client) => new ConsulRegistry(client, { hostId: 'h1' })],
    ['its catalog', (client) => new CatalogRegistry(client, { hostId: 'h1', address: () => '192.0.2.7' })],
  ])('has the answers of Consul, registered with %s, and follows its changes', async (_, registryOf) => {
    const client = new ConsulClient({ kind: 'consul', host: '127.0.0.1', port: agent.httpPort, tls: false });
    const registry = registryOf(client);
    const desired = new Desired({ log: silentLogger }, { hostId: 'h1' });
    const reconciler = new Reconciler({ registry, desired, log: silentLogger }, { onStop: 'deregister' });
    const node = () => ({ name: 'heddle-n1', address: '127.0.0.1', meta: {} });
    const { checkedBy } = registry;
    const view = new RegistryView({ desired, node, checkedBy, refused: () => false }, { hostId: 'h1' });
    const ours = async (packet: Buffer) =>
      told((await responder(view, settings).respond(packet, '127.0.0.1', 'udp')) as Buffer);
    const ask = async (name: string, type: string) => {
      const packet = queryBytes(name, type);
      const theirs = told(await askConsul(agent.dnsPort, packet, 'udp'));
      expect(await ours(packet), `${name} ${type}`).toEqual(theirs);
      return theirs.answers.map((text) => text.split(' ').at(-1));
    };
    const isAt = async (ipv6: string | undefined) => {
      desired.set(entryOf({ env: { SERVICE_NAME: 'web' }, ports: [80], ipv6 }));
      await reconciler.flush();
      expect(await ask('web.service.consul', 'A')).toEqual(['10.2.1.1']);
      expect(await ask('web.service.consul', 'AAAA')).toEqual(ipv6 === undefined ? [] : [ipv6]);
      // Either will do for these: Consul gives the IPv6 one.
      expect(await ask('web.service.consul', 'ANY')).toEqual([ipv6 ?? '10.2.1.1']);
      await ask('web.service.consul', 'SRV');
      expect(await ask(reverseName('10.2.1.1'), 'PTR')).toHaveLength(1);
      for (const ip of ['fd00::1', 'fd00::2']) {
        // The reverse name of the other address is ours alone: Consul has that of the service's own.
        const { answers } = await ours(queryBytes(reverseName(ip), 'PTR'));
        expect(answers, ip).toHaveLength(ip === ipv6 ? 1 : 0);
      }
    };
    try {
      await reconciler.start();
      for (const ipv6 of ['fd00::1', 'fd00::2', undefined]) await isAt(ipv6);
      expect(Object.keys(await agent.get<object>('/v1/catalog/service/web'))).toHaveLength(1);
    } finally {
      await reconciler.stop();
      client.close();
    }
  });
});

/** Our answers are no longer than theirs; but their refusals have no OPT record, and a reverse name may be another. */
const isComparable = (reply: Buffer, name: string) =>
  ((reply[3] as number) & 0xf) !== RCODES.REFUSED && !name.endsWith('.arpa');

function responder(view: View, settings: ServiceZoneSettings): Responder {
  const zones = [
    new ServiceZone({ view }, settings),
    new ReverseZone({ view, names: new NameTable() }, settings, []),
  ];
  const resolver = new Resolver({ zones, log: silentLogger });
  return new Responder({ resolver, recursionFor: () => false, log: silentLogger });
}

async function forget(agent: ConsulAgent, { ID, Node }: Registered['body']): Promise<void> {
  if (Node === undefined) await agent.put(`/v1/agent/service/deregister/${ID}`);
  else await agent.put('/v1/catalog/deregister', { Node });
}

/**
 * What a reply says but for the order of its records, the metadata of nodes beside SRV records, repetitions beside the
 * answer, and which of several services at one address has its reverse name.
 */
function told(reply: Buffer) {
  const decoded = dnsPacket.decode(reply);
  const asked = decoded.questions?.[0]?.name;
  const section = (records: readonly dnsPacket.Answer[] = []) =>
    records
      .filter(({ type, name }) => type !== 'OPT' && (type !== 'TXT' || name === asked))
      .map((record) => textOf(record).replace(/serial=\d+/, 'serial=now'))
      .map((text) => text.replace(/ PTR \S+\.service\./, ' PTR some.service.'))
      .sort();
  const unknown = decoded.questions?.[0]?.name.endsWith('.arpa') && rcodeOf(decoded) === 'SERVFAIL';
  return {
    // Consul's SERVFAIL for an unknown address is a fault that later versions do not have.
    ...(unknown ? { rcode: 'REFUSED', ra: false } : { rcode: rcodeOf(decoded), ra: decoded.flag_ra }),
    flags: flagsOf(decoded).filter((flag) => flag !== 'ra'),
    question: decoded.questions,
    answers: section(decoded.answers),
    authorities: section(decoded.authorities),
    additionals: [...new Set(section(decoded.additionals))],
  };
}

async function askConsul(port: number, packet: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer> {
  return transport === 'udp' ? overUdp(port, packet) : overTcp(port, packet);
}

async function overUdp(port: number, packet: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.send(packet, port, '127.0.0.1');
    const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    return reply;
  } finally {
    socket.close();
  }
}

async function overTcp(port: number, packet: Buffer): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const frames = new FrameReader(65_535);
  socket.end(frame(packet));
  for await (const chunk of socket) {
    const [reply] = frames.push(chunk);
    if (reply) return reply;
  }
  throw new Error('Consul closed the connection without an answer');
}

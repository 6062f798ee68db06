import { setImmediate } from 'node:timers/promises';
import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { ForwardZone } from '../../src/dns/forward/forward.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { bare, type Question, type Zone } from '../../src/dns/zone.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { silentLogger } from '../../src/log.ts';
import { count } from '../support/counts.ts';
import { queryBytes } from './ask.ts';
import { rcodeOf } from './read.ts';
import { RecordedView } from './recorded-view.ts';

const body = (ID: string, Name: string, Address: string) => ({
  via: 'agent-service',
  body: { ID, Name, Address },
});
const view = new RecordedView([
  ...Array.from({ length: 50 }, (_, index) => body(`web-${index}`, 'web', `10.2.1.${index}`)),
  body('host-1', 'host', 'backend.example.com'),
  body('alias-1', 'alias', 'web.service.consul'),
]);
const settings = { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1' };

function responderOf(...more: Zone[]): Responder {
  const zones = [
    new ServiceZone({ view }, settings),
    new ReverseZone({ view, names: new NameTable() }, settings, []),
    ...more,
  ];
  return new Responder({
    resolver: new Resolver({ zones, log: silentLogger }),
    recursionFor: () => true,
    log: silentLogger,
  });
}

/** The same numbers for the same seed (Steele and Vigna's SplitMix32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
}

/** A million packets take longer than other tests. */
const MINUTES = count(30_000, 1_200_000);

describe('whatever the packet', () => {
  const subnet = [{ code: 'CLIENT_SUBNET', ip: '198.51.100.0', sourcePrefixLength: 24 }];
  const seeds = [
    queryBytes('web.service.dc1.consul', 'A'),
    queryBytes('_web._tcp.service.consul', 'SRV', { edns: { size: 1232 } }),
    queryBytes('alias.service.consul', 'ANY', { edns: { size: 700, do: true, options: subnet } }),
    queryBytes('0a020101.addr.consul', 'AAAA', { cd: true }),
    queryBytes('1.1.2.10.in-addr.arpa', 'PTR'),
    queryBytes('consul', 'SOA', { edns: { size: 65_535, version: 1 } }),
    queryBytes('www.example.com', 'A', { edns: { size: 600 } }),
  ];

  test(
    'the answer is silence or a response to it that fits; nothing throws, and no counter is a client’s to make',
    async () => {
      const seed = Date.now() | 0;
      const random = randomNumbers(seed);
      const relaying: Zone = {
        name: 'forward',
        resolve: ({ bytes }: Question) => {
          const garbage = Buffer.from(Array.from({ length: random(1500) }, () => random(256)));
          return { message: Buffer.concat([Buffer.from('123481800001000500010001', 'hex'), bytes, garbage]) };
        },
      };
      const responder = responderOf(relaying);
      for (let turn = count(10_000, 1_000_000); turn > 0; turn -= 1) {
        const packet = mutate(seeds[random(seeds.length)] as Buffer, random);
        const transport = random(2) === 0 ? 'udp' : 'tcp';
        const reply = await responder.respond(packet, '10.2.1.1', transport);
        if (!reply) continue;
        const told = `seed ${seed}, packet ${packet.toString('hex')}`;
        expect(reply.length, told).toBeGreaterThanOrEqual(12);
        expect(reply.length, told).toBeLessThanOrEqual(transport === 'udp' ? 4096 : 65_535);
        expect(reply.readUInt16BE(0), told).toBe(packet.readUInt16BE(0));
        expect(reply.readUInt16BE(2) & 0x8000, told).toBe(0x8000);
      }
      expect(Object.keys(responder.counters.queries).length).toBeLessThan(200);
    },
    MINUTES,
  );

  function mutate(packet: Buffer, random: (below: number) => number): Buffer {
    let mutated = Buffer.from(packet);
    for (let changes = random(4); changes > 0 && mutated.length > 0; changes -= 1) {
      const at = random(mutated.length);
      switch (random(4)) {
        case 0:
          mutated[at] = random(256);
          break;
        case 1:
          mutated[at] = (mutated[at] as number) ^ (1 << random(8));
          break;
        case 2:
          mutated = mutated.subarray(0, at);
          break;
        default:
          mutated = Buffer.concat([mutated.subarray(0, at), packet.subarray(random(packet.length))]);
      }
    }
    return mutated;
  }
});

test('a stranger beyond his share is told to come again over TCP, or nothing', async () => {
  for (const [verdict, expected] of [
    ['answer', [false, 50]],
    ['cut', [true, 0]],
    ['drop', undefined],
  ] as const) {
    const responder = new Responder({
      resolver: new Resolver({ zones: [new ServiceZone({ view }, settings)], log: silentLogger }),
      recursionFor: () => false,
      limit: { judge: () => verdict },
      log: silentLogger,
    });
    const query = queryBytes('web.service.consul', 'A', { edns: { size: 4096 } });
    const reply = await responder.respond(query, '198.51.100.7', 'udp');
    const decoded = reply && dnsPacket.decode(reply);
    expect(decoded && [decoded.flag_tc, decoded.answers?.length]).toEqual(expected);
    expect(responder.counters.limited).toBe(verdict === 'answer' ? 0 : 1);
    expect(await responder.respond(query, '198.51.100.7', 'tcp')).toBeDefined();
  }
});

describe('the counters', () => {
  test('tell queries by zone, type and code, and packets that were none', async () => {
    const responder = responderOf();
    const packets = [
      queryBytes('web.service.consul', 'A'),
      queryBytes('web.service.consul', 'A'),
      queryBytes('nope.service.consul', 'SRV'),
      queryBytes('example.com', 'UNKNOWN_4711'),
      queryBytes('web.service.consul', 'A', { edns: { size: 512, version: 1 } }),
      Buffer.from('123401000000000000000000', 'hex'),
      Buffer.from('1234', 'hex'),
    ];
    for (const packet of packets) await responder.respond(packet, '10.2.1.1', 'udp');
    expect(responder.counters).toEqual({
      queries: {
        'service A NOERROR': 2,
        'service SRV NXDOMAIN': 1,
        'none other REFUSED': 1,
        'none A BADVERS': 1,
      },
      rejected: 1,
      dropped: 1,
      limited: 0,
    });
  });

  test('know the code of a relayed answer', async () => {
    const message = Buffer.from('123481830001000000000000', 'hex');
    const responder = responderOf({
      name: 'forward',
      resolve: ({ bytes }) => ({ message: Buffer.concat([message, bytes]) }),
    });
    await responder.respond(queryBytes('nx.example.com', 'A'), '10.2.1.1', 'udp');
    expect(responder.counters.queries).toEqual({ 'forward A NXDOMAIN': 1 });
  });
});

test('answers that cannot be expressed are SERVFAIL, and said', async () => {
  const lines: string[] = [];
  const answers = [{ name: 'web', ttl: -1, type: 'A', data: '10.2.1.1' } as const];
  const responder = new Responder({
    resolver: { resolve: async () => ({ zone: 'broken', reply: { ...bare('NOERROR'), answers } }) },
    recursionFor: () => false,
    log: { error: (line: unknown) => void lines.push(String(line)) },
  });
  const reply = await responder.respond(queryBytes('web', 'A'), '10.2.1.1', 'udp');
  expect(rcodeOf(dnsPacket.decode(reply as Buffer))).toBe('SERVFAIL');
  expect(lines).toEqual([expect.stringContaining('cannot encode the answer to A web: ')]);
});

test('more questions than can be waited for fail at once', async () => {
  const release: (() => void)[] = [];
  const responder = new Responder({
    resolver: {
      resolve: () =>
        new Promise((resolve) => release.push(() => resolve({ zone: 'slow', reply: bare('NOERROR') }))),
    },
    recursionFor: () => false,
    log: silentLogger,
  });
  const codeOf = (reply: Buffer | undefined) => rcodeOf(dnsPacket.decode(reply as Buffer));
  const waiting = Array.from({ length: 8192 }, () =>
    responder.respond(queryBytes('web', 'A'), '10.2.1.1', 'udp'),
  );
  expect(codeOf(await responder.respond(queryBytes('web', 'A'), '10.2.1.1', 'udp'))).toBe('SERVFAIL');
  for (const one of release) one();
  expect(new Set((await Promise.all(waiting)).map(codeOf))).toEqual(new Set(['NOERROR']));
  const late = responder.respond(queryBytes('web', 'A'), '10.2.1.1', 'udp');
  release.at(-1)?.();
  expect(codeOf(await late)).toBe('NOERROR');
});

test('names that wait for silent servers take the place of none of ours', async () => {
  const silent = Promise.withResolvers<Buffer>();
  const forward = () =>
    new ForwardZone(
      {
        client: { ask: () => silent.promise, hasComeRound: () => false },
        upstreams: { current: async () => ({ servers: [{ ip: '10.0.0.1', port: 53 }] }) },
        isLocal: () => true,
        isOwn: () => false,
      },
      { ownDomains: [] },
    );
  const [resolvers, consul] = [forward(), forward()];
  const toConsul: Zone = {
    name: 'consul',
    resolve: (question) => (question.name.endsWith('.dc2.consul') ? consul.resolve(question) : undefined),
  };
  const zones = [toConsul, new ServiceZone({ view }, settings), resolvers];
  const resolver = new Resolver({ zones, log: silentLogger });
  const responder = new Responder({ resolver, recursionFor: () => true, log: silentLogger });
  const ask = async (name: string) => {
    const reply = await responder.respond(queryBytes(name, 'A'), '10.2.1.1', 'udp');
    return rcodeOf(dnsPacket.decode(reply as Buffer));
  };
  const flood: Promise<string>[] = [];
  for (let index = 0; index < 5_000; index += 1) {
    flood.push(ask(`n${index}.example`), ask(`n${index}.service.dc2.consul`));
    // As many as a turn of the event loop takes from a socket.
    if (index % 256 === 0) await setImmediate();
  }
  expect(await ask('web.service.consul')).toBe('NOERROR');
  silent.reject(new Error('no answer in time'));
  expect(new Set(await Promise.all(flood))).toEqual(new Set(['SERVFAIL']));
});

import { setImmediate } from 'node:timers/promises';
import dnsPacket, { type StringAnswer } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { AnswerCache } from '../../src/dns/cache/answer-cache.ts';
import { ForwardZone } from '../../src/dns/forward/forward.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { hostRecords, type OtherNames } from '../../src/dns/other-names.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { emptyReply, type Question, type Zone } from '../../src/dns/zone.ts';
import { ConsulZone } from '../../src/dns/zones/consul.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { WeaveZone } from '../../src/dns/zones/weave.ts';
import { HeddleError } from '../../src/errors.ts';
import { RemoteNames } from '../../src/registry/view/remote-names.ts';
import { RegistryView } from '../../src/registry/view/view.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { count } from '../support/counts.ts';
import { heapMib } from '../support/memory.ts';
import { randomFrom, seeds } from '../support/random.ts';
import { queryBytes } from './ask.ts';
import { mutated, QUESTIONS } from './mutated.ts';
import { questionOf } from './question.ts';
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

/** A million packets take longer than other tests. */
const MINUTES = count(30_000, 1_200_000);

/** Growth in the second half of a run: in the first half of a long run, all caches have reached their limits. */
const GROWTH_MIB = 8;

/** All zones and the cache, as in the daemon, over servers that send arbitrary replies. */
function responderOfDaemon(below: (limit: number) => number): Responder {
  const garbage = ({ bytes }: Question) =>
    Buffer.concat([
      Buffer.from('123481800001000500010001', 'hex'),
      bytes,
      Buffer.from(Array.from({ length: below(1500) }, () => below(256))),
    ]);
  const names = new NameTable();
  names.set('a', [{ name: 'front.weave.local', ip: '10.2.1.1', explicit: false }]);
  const forward = new ForwardZone(
    {
      upstreams: { current: async () => ({ servers: [{ ip: '192.0.2.53', port: 53 }] }) },
      client: { ask: async (question) => garbage(question), isLoop: () => false },
      isLocal: () => true,
      isOwn: () => false,
    },
    { ownDomains: ['consul', 'weave.local'], cache: { maxBytes: 1 << 20 } },
  );
  const consul = { resolve: async (question: Question) => ({ message: garbage(question) }) };
  const weave = new WeaveZone({ names }, { domain: 'weave.local' });
  const others: OtherNames = { resolve: async (asked) => weave.resolve(asked) ?? forward.resolve(asked) };
  const zones = [
    new ConsulZone({ consul }, settings),
    new ServiceZone({ view, hostRecords: (host, question) => hostRecords(others, host, question) }, settings),
    weave,
    new ReverseZone({ view, names, consul }, settings, []),
    forward,
  ];
  return new Responder({
    resolver: new Resolver({ zones, log: silentLogger }),
    recursionFor: () => true,
    cache: new AnswerCache({ maxAbsent: 1000, maxBytes: 1 << 20 }),
    log: silentLogger,
  });
}

test(
  'whatever the packet, the answer is silence or a response to it that fits; nothing throws, and nothing grows',
  async () => {
    const [seed = 0] = seeds(1);
    const random = randomFrom(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const responder = responderOfDaemon(below);
    let before = Number.POSITIVE_INFINITY;
    const turns = count(10_000, 1_000_000);
    for (let turn = 0; turn < turns; turn += 1) {
      if (turn === turns / 2) before = heapMib();
      const packet = mutated(QUESTIONS[below(QUESTIONS.length)] as Buffer, below);
      const transport = below(2) === 0 ? 'udp' : 'tcp';
      const reply = await responder.respond(packet, '10.2.1.1', transport);
      if (!reply) continue;
      const context = `seed ${seed}, packet ${packet.toString('hex')}`;
      expect(reply.length, context).toBeGreaterThanOrEqual(12);
      expect(reply.length, context).toBeLessThanOrEqual(transport === 'udp' ? 4096 : 65_535);
      expect(reply.readUInt16BE(0), context).toBe(packet.readUInt16BE(0));
      expect(reply.readUInt16BE(2) & 0x8000, context).toBe(0x8000);
    }
    expect(Object.keys(responder.counters.queries).length).toBeLessThan(400);
    expect(heapMib() - before, `seed ${seed}`).toBeLessThan(GROWTH_MIB);
  },
  MINUTES,
);

test('an external client beyond its share gets TC, or no answer', async () => {
  for (const [verdict, expected] of [
    ['answer', [false, 50]],
    ['truncate', [true, 0]],
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

test.each([
  ['198.51.100.7', false, 1232],
  ['10.2.1.1', true, 4096],
])(
  'a client at %s, recursion offered: %s, is sent at most %i bytes over UDP',
  async (client, recursion, most) => {
    const many = Array.from({ length: 300 }, (_, at) =>
      body(`s${at}`, 'many', `10.3.${at >> 8}.${at & 255}`),
    );
    const zones = [new ServiceZone({ view: new RecordedView(many) }, settings)];
    for (const cache of [undefined, new AnswerCache()]) {
      const responder = new Responder({
        resolver: new Resolver({ zones, log: silentLogger }),
        recursionFor: () => recursion,
        ...(cache && { cache }),
        log: silentLogger,
      });
      const query = queryBytes('many.service.consul', 'A', { edns: { size: 65_535 } });
      for (let turn = 0; turn < 3; turn += 1) {
        const reply = (await responder.respond(query, client, 'udp')) as Buffer;
        expect(reply.length).toBeLessThanOrEqual(most);
        expect(reply.length).toBeGreaterThan(most - 100);
        expect(dnsPacket.decode(reply).flag_tc).toBe(true);
      }
    }
  },
);

test.each([
  ['A', 'udp', 512],
  ['SRV', 'udp', 256],
  ['A', 'tcp', 4_096],
  ['SRV', 'tcp', 1_561],
] as const)(
  'a name of 10,000 instances costs what can be sent: %s over %s, %i answers',
  async (type, transport, most) => {
    const many = Array.from({ length: 10_000 }, (_, at) =>
      body(`s${at}`, 'many', `10.3.${at >> 8}.${at & 255}`),
    );
    const zone = new ServiceZone({ view: new RecordedView(many) }, settings);
    const names = new NameTable();
    for (const [at, { body }] of many.entries()) {
      names.set(`c${at}`, [{ name: 'many.weave.local', ip: body.Address, explicit: false }]);
    }
    const weave = new WeaveZone({ names }, { domain: 'weave.local' });
    const question = { ...questionOf('many.service.consul', type), transport };
    expect((await zone.resolve(question))?.answers).toHaveLength(most);
    const own = weave.resolve({ ...questionOf('many.weave.local', 'A'), transport });
    expect(own?.answers).toHaveLength(transport === 'tcp' ? 4_096 : 512);
    const responder = new Responder({
      resolver: new Resolver({ zones: [zone], log: silentLogger }),
      recursionFor: () => true,
      log: silentLogger,
    });
    const edns = { size: 65_535 };
    const reply = await responder.respond(
      queryBytes('many.service.consul', type, { edns }),
      '10.2.1.1',
      transport,
    );
    expect(dnsPacket.decode(reply as Buffer).flag_tc).toBe(true);
    expect((reply as Buffer).length).toBeGreaterThan(transport === 'tcp' ? 65_400 : 4_000);
  },
);

test('if not all instances fit, others are answered every ten seconds', async () => {
  const many = Array.from({ length: 2_000 }, (_, at) =>
    body(`s${at}`, 'many', `10.3.${at >> 8}.${at & 255}`),
  );
  const instances = await new RecordedView(many).instances('many');
  let now = 0;
  const zone = new ServiceZone(
    { view: { instances: () => instances, node: () => undefined }, now: () => now },
    settings,
  );
  const responder = new Responder({
    resolver: new Resolver({ zones: [zone], log: silentLogger }),
    recursionFor: () => true,
    cache: new AnswerCache(),
    log: silentLogger,
  });
  const seen = new Set<string>();
  for (let turn = 0; turn < 20; turn += 1) {
    now = turn * 10_000;
    for (let id = 0; id < 50; id += 1) {
      const reply = await responder.respond(
        queryBytes('many.service.consul', 'A', { id }),
        '10.2.1.1',
        'udp',
      );
      for (const { data } of dnsPacket.decode(reply as Buffer).answers as StringAnswer[]) seen.add(data);
    }
    if (turn === 0) expect(seen.size).toBeLessThanOrEqual(512);
  }
  expect(seen.size).toBeGreaterThan(1_900);
});

test('many answers whose order cannot be changed are encoded once a second', async () => {
  const many = Array.from({ length: 2_000 }, (_, at) =>
    body(`s${at}`, 'many', `10.3.${at >> 8}.${at & 255}`),
  );
  const instances = await new RecordedView(many).instances('many');
  const steady = { instances: () => instances, node: () => undefined };
  let asked = 0;
  const zone: Zone = {
    name: 'service',
    resolve: (question) => {
      asked += 1;
      return new ServiceZone({ view: steady }, settings).resolve(question);
    },
  };
  const responder = new Responder({
    resolver: new Resolver({ zones: [zone], log: silentLogger }),
    recursionFor: () => true,
    cache: new AnswerCache(),
    log: silentLogger,
  });
  for (const id of [1, 2, 3, 4]) {
    const query = queryBytes('many.service.consul', 'SRV', { id, edns: { size: 1232 } });
    const reply = await responder.respond(query, '10.2.1.1', 'udp');
    expect(dnsPacket.decode(reply as Buffer)).toMatchObject({ id, flag_tc: true });
  }
  expect(asked).toBe(1);
});

describe('the counters', () => {
  test('count queries by zone, type and code, and packets that are not queries', async () => {
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

  test('count the code of a relayed answer', async () => {
    const message = Buffer.from('123481830001000000000000', 'hex');
    const responder = responderOf({
      name: 'forward',
      resolve: ({ bytes }) => ({ message: Buffer.concat([message, bytes]) }),
    });
    await responder.respond(queryBytes('nx.example.com', 'A'), '10.2.1.1', 'udp');
    expect(responder.counters.queries).toEqual({ 'forward A NXDOMAIN': 1 });
  });
});

test('answers that cannot be encoded are SERVFAIL, and logged', async () => {
  const lines: string[] = [];
  const answers = [{ name: 'web', ttl: -1, type: 'A', data: '10.2.1.1' } as const];
  const responder = new Responder({
    resolver: { resolve: async () => ({ zone: 'broken', reply: { ...emptyReply('NOERROR'), answers } }) },
    recursionFor: () => false,
    log: { error: (line: unknown) => void lines.push(String(line)) },
  });
  const reply = await responder.respond(queryBytes('web', 'A'), '10.2.1.1', 'udp');
  expect(rcodeOf(dnsPacket.decode(reply as Buffer))).toBe('SERVFAIL');
  expect(lines).toEqual([expect.stringContaining('cannot encode the answer to A web: ')]);
});

test('one client’s questions beyond its share fail at once, those of the next client do not', async () => {
  const release: (() => void)[] = [];
  const responder = new Responder({
    resolver: {
      resolve: () =>
        new Promise((resolve) => release.push(() => resolve({ zone: 'slow', reply: emptyReply('NOERROR') }))),
    },
    recursionFor: () => false,
    log: silentLogger,
  });
  const codeOf = (reply: Buffer | undefined) => rcodeOf(dnsPacket.decode(reply as Buffer));
  const ask = async (client: string) =>
    codeOf(await responder.respond(queryBytes('web', 'A'), client, 'tcp'));
  // A quarter of those of the 8,192 places that are free.
  const waiting = Array.from({ length: 1639 }, () => ask('10.2.1.1'));
  expect(await ask('10.2.1.1')).toBe('SERVFAIL');
  waiting.push(...Array.from({ length: 1000 }, () => ask('10.2.1.2')));
  expect(release.length).toBe(2639);
  for (const one of release) one();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['NOERROR']));
  const late = ask('10.2.1.1');
  release.at(-1)?.();
  expect(await late).toBe('NOERROR');
});

test('a flood of one client over UDP is answered in part, and other clients as if there were none', async () => {
  const served: string[] = [];
  const responder = new Responder({
    resolver: {
      resolve: async ({ client }) => {
        served.push(client);
        return { zone: 'service', reply: emptyReply('NXDOMAIN') };
      },
    },
    recursionFor: () => true,
    log: silentLogger,
  });
  const ask = (client: string, index: number) =>
    responder.respond(queryBytes(`x${index}.service.consul`, 'A'), client, 'udp');
  const flood = Array.from({ length: 5_000 }, (_, index) => ask('10.2.1.1', index));
  const neighbour = Array.from({ length: 64 }, (_, index) => ask('10.2.1.2', index));
  for (const reply of await Promise.all(neighbour)) {
    expect(rcodeOf(dnsPacket.decode(reply as Buffer))).toBe('NXDOMAIN');
  }
  expect(served.length).toBe(128);
  const answered = (await Promise.all(flood)).filter((reply) => reply !== undefined).length;
  expect([answered, responder.counters.limited]).toEqual([1_703, 5_000 - 1_703]);
});

test('questions that wait for silent servers take no places of our own names', async () => {
  const silent = Promise.withResolvers<Buffer>();
  const forward = () =>
    new ForwardZone(
      {
        client: { ask: () => silent.promise, isLoop: () => false },
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
    const reply = await responder.respond(queryBytes(name, 'A'), '10.2.1.1', 'tcp');
    return rcodeOf(dnsPacket.decode(reply as Buffer));
  };
  const flood: Promise<string>[] = [];
  for (let index = 0; index < 5_000; index += 1) {
    flood.push(ask(`n${index}.example`), ask(`n${index}.service.dc2.consul`));
    // As many as one turn of the event loop reads from a socket.
    if (index % 256 === 0) await setImmediate();
  }
  expect(await ask('web.service.consul')).toBe('NOERROR');
  silent.reject(new Error('no answer in time'));
  expect(new Set(await Promise.all(flood))).toEqual(new Set(['SERVFAIL']));
});

test('a cached answer whose container ended while the registry is unreachable is SERVFAIL', async () => {
  const service = {
    ...{ id: 'web', name: 'web', address: '10.2.1.1', port: 80, tags: [], meta: {}, checks: [] },
    weights: { passing: 1, warning: 1 },
  };
  let here = [service];
  const away = async () => {
    throw new HeddleError('unreachable', 'the registry is away');
  };
  const registryView = new RegistryView(
    {
      desired: { byName: () => here, byAddress: () => [] },
      remote: new RemoteNames({ lookups: { instances: away, node: away } }),
      rejected: () => false,
      checkedBy: 'agent',
      node: () => ({ name: 'h1', address: '192.0.2.1', meta: {} }),
    },
    { hostId: 'h1' },
  );
  const zones = [new ServiceZone({ view: registryView }, settings)];
  const responder = new Responder({
    resolver: new Resolver({ zones, log: silentLogger }),
    recursionFor: () => true,
    cache: new AnswerCache(),
    log: silentLogger,
  });
  const ask = async () => {
    const reply = await responder.respond(queryBytes('web.service.consul', 'A'), '127.0.0.1', 'udp');
    return rcodeOf(dnsPacket.decode(reply as Buffer));
  };
  expect([await ask(), await ask()]).toEqual(['NOERROR', 'NOERROR']);
  here = [];
  expect(await ask()).toBe('SERVFAIL');
});

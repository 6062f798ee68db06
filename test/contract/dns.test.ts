import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import dnsPacket, { type DecodedPacket } from 'dns-packet';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ForwardZone } from '../../src/dns/forward/forward.ts';
import { UpstreamClient } from '../../src/dns/forward/upstream/client.ts';
import type { Upstream } from '../../src/dns/forward/upstreams.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { RateLimit } from '../../src/dns/server/rate-limit.ts';
import { DnsServer } from '../../src/dns/server/server.ts';
import { FrameReader, frame } from '../../src/dns/wire/frames.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { queryBytes } from '../dns/ask.ts';
import { RecordedView } from '../dns/recorded-view.ts';
import { FakeUpstream, manyAddresses, replyTo } from '../dns/upstream.ts';
import { type DigOptions, dataOf, dig } from '../support/dig.ts';
import { runProgram } from '../support/program.ts';

/** The resolver on real sockets, asked by the real dig. */

const upstreams: Upstream[] = [];
let local = true;
/** A server that is slow because the machine is busy keeps its turn: only the silent one loses it. */
const client = new UpstreamClient({ timeoutMs: 2_000, headStartMs: 2_000 });
const forward = new ForwardZone(
  {
    upstreams: { current: async () => ({ servers: upstreams }) },
    client,
    isLocal: () => local,
    isOwn: () => false,
  },
  // No test sees cached answers of another.
  { ownDomains: ['consul'], cache: { maxBytes: 1 } },
);
const agentService = (Name: string, Address: string, index: number) =>
  ({
    via: 'agent-service',
    body: { ID: `${Name}-${index}`, Name, Address, Port: 80, Tags: ['v1'] },
  }) as const;
const view = new RecordedView([
  ...Array.from({ length: 2 }, (_, index) => agentService('web', `10.2.1.${index + 1}`, index)),
  ...Array.from({ length: 200 }, (_, index) => agentService('many', `10.2.2.${index + 1}`, index)),
]);
const zones = [new ServiceZone({ view }, { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1' }), forward];
const responder = new Responder({
  resolver: new Resolver({ zones, log: silentLogger }),
  recursionFor: () => local,
  log: silentLogger,
});
const listen = [{ ip: '127.0.0.1', port: 0 }];
/** The same tests run a second time without batches: dns-one-by-one.test.ts. */
const udp = { batched: process.env.HEDDLE_TEST_ONE_BY_ONE !== '1' };
const server = new DnsServer({ responder, log: silentLogger }, { listen, udp });
let port = 0;

beforeAll(async () => {
  const { stderr } = await runProgram('dig', ['-v']).catch(() => {
    throw new Error('these tests need dig: apt-get install bind9-dnsutils');
  });
  expect(stderr).toMatch(/^DiG 9/);
  await server.start();
  port = server.status().listeners[0]?.address.port as number;
});

afterAll(async () => {
  client.stop();
  await server.stop();
});

const ask = (name: string, options: DigOptions = {}) => dig(name, { port, ...options });

describe('a service name', () => {
  test.each([false, true])('is answered with every address (tcp: %s)', async (tcp) => {
    const reply = await ask('web.service.dc1.consul', { tcp });
    expect(reply.status).toBe('NOERROR');
    expect(reply.flags).toEqual(['qr', 'aa', 'rd', 'ra']);
    expect(dataOf(reply)).toEqual(['10.2.1.1', '10.2.1.2']);
  });

  test('keeps the letter case of the question', async () => {
    const reply = await ask('WeB.Service.CONSUL', { type: 'SRV' });
    expect(reply.answers.map(({ name }) => name)).toEqual(['WeB.Service.CONSUL.', 'WeB.Service.CONSUL.']);
    expect(reply.additional.map(({ data }) => data).sort()).toEqual(['10.2.1.1', '10.2.1.2']);
  });

  test('that is unknown is NXDOMAIN, and is not forwarded', async () => {
    await using upstream = await useUpstream((query) => [replyTo(query, manyAddresses(1))]);
    const reply = await ask('nope.service.consul');
    expect(reply.status).toBe('NXDOMAIN');
    expect(reply.authority.map(({ type }) => type)).toEqual(['SOA']);
    expect((await ask('consul')).status).toBe('NXDOMAIN');
    expect(upstream.seen).toEqual([]);
  });

  test.each([
    ['+noedns', 29],
    ['+bufsize=700', 40],
    ['+bufsize=1232', 74],
    ['+bufsize=4096', 200],
  ])('of many instances is truncated to the size that %s allows', async (arg, answers) => {
    const reply = await ask('many.service.consul', { args: [arg] });
    expect(reply.answers.length).toBe(answers);
    expect(reply.flags.includes('tc')).toBe(answers < 200);
  });

  test('of many instances arrives complete over TCP when dig sees TC', async () => {
    const reply = await ask('many.service.consul', { args: ['+noedns', '+noignore'] });
    expect(reply.answers.length).toBe(200);
  });

  test('asked with another version of EDNS is answered BADVERS', async () => {
    expect((await ask('web.service.consul', { args: ['+edns=1', '+noednsnegotiation'] })).status).toBe(
      'BADVERS',
    );
  });

  test('asked in another class is refused', async () => {
    expect((await ask('web.service.consul', { args: ['-c', 'CH'] })).status).toBe('REFUSED');
  });
});

describe('an external client', () => {
  const limited = new Responder({
    resolver: new Resolver({ zones, log: silentLogger }),
    recursionFor: () => local,
    limit: new RateLimit(() => local, { perSecond: 1, burst: 50 }),
    log: silentLogger,
  });
  const strict = new DnsServer({ responder: limited, log: silentLogger }, { listen, udp });
  const strictPort = () => strict.status().listeners[0]?.address.port as number;
  beforeAll(() => strict.start());
  afterAll(() => strict.stop());
  afterEach(() => {
    local = true;
  });

  test('that asks for ANY gets TC, and is answered over TCP', async () => {
    local = false;
    const any = { port: strictPort(), type: 'ANY' };
    const cut = await ask('web.service.consul', any);
    expect([cut.answers, cut.flags]).toEqual([[], expect.arrayContaining(['tc'])]);
    expect((await ask('web.service.consul', { ...any, tcp: true })).answers.length).toBe(2);
  });

  test('that floods heddle is answered in part; a container that does is fully answered', async () => {
    expect(await flood(strictPort())).toEqual({ whole: 200, cut: 0 });
    local = false;
    const { whole, cut } = await flood(strictPort());
    expect(whole).toBeGreaterThan(45);
    expect(whole).toBeLessThan(60);
    expect(cut).toBeGreaterThan(60);
    expect(cut).toBeLessThan(80);
  });

  /** The numbers of complete and of truncated answers to 200 queries, sent in small bunches. */
  async function flood(to: number) {
    const asker = createSocket('udp4');
    const replies: Buffer[] = [];
    asker.on('message', (reply) => replies.push(reply));
    for (let bunch = 0; bunch < 20; bunch += 1) {
      for (let id = 0; id < 10; id += 1) {
        asker.send(queryBytes('web.service.consul', 'A', { id: bunch * 10 + id }), to, '127.0.0.1');
      }
      await delay(5);
    }
    await delay(200);
    asker.close();
    const cut = replies.filter((reply) => dnsPacket.decode(reply).flag_tc).length;
    return { whole: replies.length - cut, cut };
  }
});

describe('another name', () => {
  test('is answered by the upstream', async () => {
    await using upstream = await useUpstream((query) => [
      replyTo(query, [
        { type: 'CNAME', data: 'real.example.com' },
        { type: 'A', name: 'real.example.com', data: '203.0.113.7' },
      ]),
    ]);
    const reply = await ask('WWW.example.com');
    expect(reply.status).toBe('NOERROR');
    expect(reply.flags).toEqual(['qr', 'rd', 'ra']);
    // An upstream that does not compress repeats the random letter case.
    expect(reply.answers.map(({ name, data }) => `${name.toLowerCase()} ${data}`)).toEqual([
      'www.example.com. real.example.com.',
      'real.example.com. 203.0.113.7',
    ]);
    expect(upstream.seen.length).toBe(1);
  });

  test('is forwarded from another port, with another id and other letters each time', async () => {
    await using upstream = await useUpstream((query) => [replyTo(query, manyAddresses(1))]);
    for (let turn = 0; turn < 5; turn += 1) await ask('a-name-with-many-letters.example.com');
    expect(new Set(upstream.seen.map((seen) => seen.port)).size).toBe(5);
    // Two of five random numbers may be equal.
    expect(new Set(upstream.seen.map(({ query }) => query.id)).size).toBeGreaterThan(3);
    expect(new Set(upstream.seen.map(({ query }) => query.questions?.[0]?.name)).size).toBe(5);
  });

  test('is refused to clients of other networks, and when no recursion is desired', async () => {
    await using upstream = await useUpstream((query) => [replyTo(query, manyAddresses(1))]);
    expect((await ask('example.com', { args: ['+norecurse'] })).status).toBe('REFUSED');
    local = false;
    const reply = await ask('example.com').finally(() => {
      local = true;
    });
    expect(reply.status).toBe('REFUSED');
    expect(reply.flags).not.toContain('ra');
    expect(upstream.seen).toEqual([]);
  });

  test('is forwarded with the AD bit of its client; DNSSEC data is for clients that ask for it', async () => {
    await using upstream = await useUpstream((query) => [
      replyTo(query, manyAddresses(1), { flags: dnsPacket.AUTHENTIC_DATA }),
    ]);
    const proven = async (...args: string[]) => (await ask('example.com', { args })).flags.includes('ad');
    expect(await proven('+adflag')).toBe(true);
    expect(await proven('+noadflag', '+dnssec')).toBe(true);
    expect(await proven('+noadflag')).toBe(false);
    expect(upstream.seen.map(({ query }) => query.flag_ad)).toEqual([true, false, false]);
  });

  test('is not taken from forged replies: wrong id, wrong question, a query, half a header', async () => {
    await using upstream = await useUpstream((query) => [
      replyTo({ ...query, id: ((query.id ?? 0) + 1) & 0xffff }, manyAddresses(3)),
      replyTo(query, manyAddresses(3)).fill(0x41, 13, 14),
      dnsPacket.encode({ ...query, type: 'query' }),
      Buffer.from([1, 2, 3]),
      replyTo(query, manyAddresses(1)),
    ]);
    expect(dataOf(await ask('example.com'))).toEqual(['203.0.113.0']);
    expect(upstream.seen.length).toBe(1);
  });

  test('with changed letters in its reply is retried over TCP, and without TCP in fixed letter case', async () => {
    const lower = (query: DecodedPacket) => {
      const questions = query.questions?.map((one) => ({ ...one, name: one.name.toLowerCase() })) ?? [];
      return replyTo({ ...query, questions }, manyAddresses(1));
    };
    for (const [overTcp, transports] of [
      [lower, ['udp', 'tcp']],
      [undefined, ['udp', 'tcp', 'udp']],
    ] as const) {
      await using upstream = await useUpstream((query) => [lower(query)], overTcp);
      const reply = await ask('A-Name-With-Many-Letters.example.com');
      expect(dataOf(reply)).toEqual(['203.0.113.0']);
      expect(upstream.seen.map(({ transport }) => transport)).toEqual(transports);
    }
  });

  test('with a truncated answer is retried over TCP, and truncated again if it does not fit the client', async () => {
    await using upstream = await useUpstream(
      (query) => [replyTo(query, [], { flags: dnsPacket.TRUNCATED_RESPONSE })],
      (query) => replyTo(query, manyAddresses(300)),
    );
    const whole = await ask('example.com', { tcp: true });
    expect(whole.answers.length).toBe(300);
    expect(whole.flags).not.toContain('tc');
    const cut = await ask('example.com', { args: ['+bufsize=700'] });
    // The upstream does not compress, we do: 16 bytes a record behind 12 + 17 + 11.
    expect(cut.answers.length).toBe(41);
    expect(cut.flags).toContain('tc');
    expect(upstream.seen.map(({ transport }) => transport)).toEqual(['udp', 'tcp', 'udp', 'tcp']);
  });

  test('with a truncated answer and no TCP is truncated for the client, too', async () => {
    await using _ = await useUpstream((query) => [
      replyTo(query, manyAddresses(2), { flags: dnsPacket.TRUNCATED_RESPONSE }),
    ]);
    const reply = await ask('example.com');
    expect(reply.answers.length).toBe(2);
    expect(reply.flags).toContain('tc');
  });

  test('is forwarded to the next upstream when one is silent, absent or failing', async () => {
    await using silent = await FakeUpstream.start(() => []);
    await using unable = await FakeUpstream.start((query) => [replyTo(query, [], { rcode: 5 })]);
    const absent = { ip: '127.0.0.1', port: await closedPort() };
    await using _ = await useUpstream((query) => [replyTo(query, manyAddresses(1))]);
    upstreams.unshift(silent.address, absent, unable.address);
    expect(dataOf(await ask('example.com'))).toEqual(['203.0.113.0']);
    // A server without proven EDNS support is asked without it before heddle gives up.
    expect([silent.seen.length, unable.seen.length]).toEqual([1, 2]);
    upstreams.length = 0;
  });

  test('is SERVFAIL when no upstream answers, and REFUSED when the best answer is a refusal', async () => {
    upstreams.push({ ip: '127.0.0.1', port: await closedPort() });
    expect((await ask('example.com')).status).toBe('SERVFAIL');
    await using refusing = await useUpstream((query) => [replyTo(query, [], { rcode: 5 })]);
    expect((await ask('example.com')).status).toBe('REFUSED');
    expect(refusing.seen.length).toBe(2);
    upstreams.length = 0;
  });
});

describe('with a resolver of its own', () => {
  const running: { stop(): unknown }[] = [];
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop();
  });

  /** Forwards to the current content of this list, and keeps every answer. */
  async function forwarder(servers: readonly Upstream[], timeoutMs: number, now?: () => number) {
    const client = new UpstreamClient({ timeoutMs });
    const upstreams = { current: async () => ({ servers: [...servers] }) };
    const needs = { upstreams, client, isLocal: () => true, isOwn: () => false };
    const zone = new ForwardZone(needs, { ownDomains: ['consul'], cache: now ? { now } : {} });
    const resolver = new Resolver({ zones: [...zones.slice(0, 1), zone], log: silentLogger });
    const responder = new Responder({ resolver, recursionFor: () => true, log: silentLogger });
    const server = new DnsServer({ responder, log: silentLogger }, { listen, udp });
    await server.start();
    running.push(client, server);
    return server.status().listeners[0]?.address.port as number;
  }

  test('own names are answered while thousands of others wait for a silent upstream', async () => {
    await using silent = await FakeUpstream.start(() => []);
    const to = await forwarder([silent.address], 60_000);
    const asker = createSocket('udp4');
    let refused = 0;
    asker.on('message', () => {
      refused += 1;
    });
    for (let index = 0; index < 20_000 && refused < 100; index += 1) {
      asker.send(queryBytes(`n${index}.example.com`, 'A'), to, '127.0.0.1');
      if (index % 100 === 0) await delay(2);
    }
    asker.close();
    // The queue of waiting queries is full.
    expect(refused).toBeGreaterThan(0);
    expect((await ask('web.service.consul', { port: to })).status).toBe('NOERROR');
  });

  test('an expired answer is served when the upstream has lost its uplink, and when there is no upstream left', async () => {
    let [now, uplink] = [0, true];
    await using upstream = await FakeUpstream.start((query) => [
      uplink ? replyTo(query, manyAddresses(1)) : replyTo(query, [], { rcode: 2 }),
    ]);
    const servers = [upstream.address];
    const to = await forwarder(servers, 400, () => now);
    const answered = async () => {
      const { status, answers } = await ask('www.example.com', { port: to });
      return `${status} ${answers.map(({ ttl, data }) => `${ttl} ${data}`)}`;
    };
    expect(await answered()).toBe('NOERROR 300 203.0.113.0');
    [now, uplink] = [301_000, false];
    expect(await answered()).toBe('NOERROR 30 203.0.113.0');
    servers.length = 0;
    expect(await answered()).toBe('NOERROR 30 203.0.113.0');
    servers.push(upstream.address);
    [now, uplink] = [304_000, true];
    expect(await answered()).toBe('NOERROR 300 203.0.113.0');
  });
});

describe('a packet that is no query', () => {
  const malformed: [string, string, string | undefined][] = [
    ['a response', '123481000001000000000000000001 0001', undefined],
    ['half a header', '1234010000', undefined],
    ['no question', '123401000000000000000000', '123481010000000000000000'],
    ['two questions', '123401000002000000000000 0000010001 0000010001', '123481010000000000000000'],
    ['a question cut short', '123401000001000000000000 03776562', '123481010000000000000000'],
    ['a name that points at itself', '123401000001000000000000 c00c 0001 0001', '123481010000000000000000'],
    [
      'an OPT longer than the packet',
      '123401000001000000000001 00 0001 0001 00 0029 04d0 00000000 ffff',
      '123481010000000000000000',
    ],
    ['an update', '123429000001000000000000 00 0001 0001', '1234a9040000000000000000'],
  ];

  test.each(malformed)('%s', async (_what, hex, reply) => {
    const packet = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    // The answer to the good query behind it shows that the bad one was ignored, and that the server works.
    const good = queryBytes('web.service.consul', 'A', { id: 7 });
    const replies = await exchangeUdp([packet, good], reply === undefined ? 1 : 2);
    const rejected = replies
      .filter((bytes) => bytes.readUInt16BE(0) !== 7)
      .map((bytes) => bytes.toString('hex'));
    expect(rejected).toEqual(reply === undefined ? [] : [reply]);
  });
});

describe('a TCP connection', () => {
  test('carries many queries, each answered when its answer is ready', async () => {
    await using _ = await useUpstream((query) =>
      query.questions?.[0]?.name.toLowerCase().startsWith('slow') ? [] : [replyTo(query, manyAddresses(1))],
    );
    const queries = [queryBytes('slow.example.com', 'A', { id: 1 })];
    for (let id = 2; id <= 300; id += 1) queries.push(queryBytes('web.service.consul', 'A', { id }));
    const replies = await exchangeTcp(Buffer.concat(queries.map(frame)), 300);
    const ids = replies.map((reply) => reply.readUInt16BE(0));
    expect(new Set(ids).size).toBe(300);
    expect(ids.at(-1)).toBe(1);
  });

  test('that announces more than a query is closed', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write(Buffer.from([0xff, 0xff, 1, 2, 3]));
    socket.on('error', () => {});
    await once(socket, 'close');
    expect((await ask('web.service.consul', { tcp: true })).status).toBe('NOERROR');
  });

  test('gets its answer after the client has half-closed it', async () => {
    const replies = await exchangeTcp(frame(queryBytes('web.service.consul', 'A')), 1, true);
    expect(dnsPacket.decode(replies[0] as Buffer).answers?.length).toBe(2);
  });
});

/** An upstream that is the only one while its scope lasts. */
async function useUpstream(...behaviour: Parameters<typeof FakeUpstream.start>): Promise<FakeUpstream> {
  const upstream = await FakeUpstream.start(...behaviour);
  upstreams.splice(0, upstreams.length, upstream.address);
  return upstream;
}

/** A port without a listener. */
async function closedPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port: free } = socket.address();
  socket.close();
  return free;
}

async function exchangeUdp(packets: readonly Buffer[], count: number): Promise<Buffer[]> {
  const socket = createSocket('udp4');
  const replies: Buffer[] = [];
  const done = new Promise<void>((resolve) => {
    socket.on('message', (reply) => {
      replies.push(reply);
      if (replies.length === count) resolve();
    });
  });
  for (const packet of packets) socket.send(packet, port, '127.0.0.1');
  await done;
  socket.close();
  return replies;
}

async function exchangeTcp(bytes: Buffer, count: number, end = false): Promise<Buffer[]> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const frames = new FrameReader(65_535);
  const replies: Buffer[] = [];
  const done = new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      replies.push(...frames.push(chunk));
      if (replies.length >= count) resolve();
    });
  });
  if (end) socket.end(bytes);
  else socket.write(bytes);
  await done;
  socket.destroy();
  return replies;
}

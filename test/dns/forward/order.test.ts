import { setTimeout as delay } from 'node:timers/promises';
import dnsPacket, { type DecodedPacket } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { ForwardZone } from '../../../src/dns/forward/forward.ts';
import { UpstreamClient, type UpstreamClientOptions } from '../../../src/dns/forward/upstream/client.ts';
import { eventually } from '../../support/eventually.ts';
import { questionOf } from '../question.ts';
import { FakeUpstream, replyTo } from '../upstream.ts';

/** Two servers in the order of resolv.conf: the first one knows more names, like the server of an intranet. */

const [FIRST, SECOND] = ['10.1.1.1', '198.51.100.1'];
const NXDOMAIN = 3;

const nameOf = (query: DecodedPacket) => query.questions?.[0]?.name.toLowerCase() ?? '';
const soa = (name: string): dnsPacket.Packet['authorities'] => [
  {
    type: 'SOA',
    name,
    ttl: 3600,
    data: {
      mname: 'ns.example',
      rname: 'h.example',
      serial: 1,
      refresh: 2,
      retry: 3,
      expire: 4,
      minimum: 3600,
    },
  },
];

function absent(query: DecodedPacket): Buffer {
  return dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: dnsPacket.RECURSION_AVAILABLE | NXDOMAIN,
    questions: query.questions ?? [],
    authorities: soa('example') ?? [],
  });
}

/** Answers every name, except those for which `isSilent` returns true. */
const first = (isSilent: (name: string) => boolean) =>
  FakeUpstream.start((query) =>
    isSilent(nameOf(query)) ? [] : [replyTo(query, [{ type: 'A', data: FIRST }])],
  );
/** Knows only the names below `public`. */
const second = () =>
  FakeUpstream.start((query) => [
    nameOf(query).includes('public') ? replyTo(query, [{ type: 'A', data: SECOND }]) : absent(query),
  ]);

function resolver(servers: readonly FakeUpstream[], options: UpstreamClientOptions = { timeoutMs: 400 }) {
  const client = new UpstreamClient(options);
  const upstreams = { current: async () => ({ servers: servers.map(({ address }) => address) }) };
  const zone = new ForwardZone(
    { upstreams, client, isLocal: () => true, isOwn: () => false },
    { ownDomains: [] },
  );
  /** The address of a name, or its absence, and how many milliseconds the answer took. */
  const ask = async (name: string) => {
    const startedAt = performance.now();
    const { message } = (await zone.resolve(questionOf(name))) as { message: Buffer };
    const [answer] = dnsPacket.decode(message).answers ?? [];
    const outcome = answer ? (answer as { data: string }).data : 'absent';
    return { outcome, ms: performance.now() - startedAt };
  };
  return { ask, outcomeOf: async (name: string) => (await ask(name)).outcome };
}

/** Expects that the first server answers the next query, and that the second is not queried. */
async function expectFirstAlone(
  outcomeOf: (name: string) => Promise<string>,
  other: FakeUpstream,
): Promise<void> {
  const asked = other.seen.length;
  for (let turn = 0; turn < 10; turn += 1) expect(await outcomeOf(`after${turn}.public.example`)).toBe(FIRST);
  expect(other.seen.length).toBe(asked);
}

describe('the first of two servers', () => {
  test('is the only one queried if it answers', async () => {
    await using one = await first(() => false);
    await using two = await second();
    const { outcomeOf } = resolver([one, two], { timeoutMs: 5_000, headStartMs: 5_000 });
    for (let turn = 0; turn < 20; turn += 1) expect(await outcomeOf(`n${turn}.public.example`)).toBe(FIRST);
    expect(two.seen.length).toBe(0);
  });

  test('is queried first again after one silence, and no absence of its names is cached', async () => {
    let silent = '';
    await using one = await first((name) => name === silent);
    await using two = await second();
    const { outcomeOf } = resolver([one, two]);
    expect(await outcomeOf('before.corp.example')).toBe(FIRST);
    silent = 'wiki.corp.example';
    expect(await outcomeOf('wiki.corp.example')).toBe('absent');
    expect(await outcomeOf('mail.corp.example')).toBe(FIRST);
    silent = '';
    expect(await outcomeOf('wiki.corp.example')).toBe(FIRST);
    await expectFirstAlone(outcomeOf, two);
  });

  test('is used again after one answer, even after a long silence', async () => {
    let isAway = true;
    await using one = await first(() => isAway);
    await using two = await second();
    const { outcomeOf } = resolver([one, two]);
    for (let turn = 0; turn < 30; turn += 1) expect(await outcomeOf(`n${turn}.public.example`)).toBe(SECOND);
    isAway = false;
    // Whichever answer is used, the first server has answered this query as well.
    await outcomeOf('back.public.example');
    await eventually(async () =>
      expect(await outcomeOf(`again${performance.now()}.public.example`)).toBe(FIRST),
    );
    await expectFirstAlone(outcomeOf, two);
  });

  test('delays only few names when it dies', async () => {
    let isDead = false;
    await using one = await first(() => isDead);
    await using two = await second();
    const { ask } = resolver([one, two], { timeoutMs: 2_000 });
    await ask('before.public.example');
    isDead = true;
    const times: number[] = [];
    const asked: Promise<unknown>[] = [];
    for (let turn = 0; turn < 300; turn += 1) {
      asked.push(ask(`n${turn}.public.example`).then(({ ms }) => times.push(ms)));
      await delay(10);
    }
    await Promise.all(asked);
    // Only queries until its silence is known, and then one from time to time.
    expect(times.filter((ms) => ms > 1_500).length).toBe(0);
    expect(times.filter((ms) => ms > 250).length).toBeLessThan(100);
    expect(times.slice(-100).filter((ms) => ms > 250).length).toBeLessThan(5);
  });

  test('is queried first even if it ignores some names', async () => {
    await using one = await first((name) => name.startsWith('silent'));
    await using two = await second();
    // A busy machine may stand still for longer than 400 ms; the last turns come after the first time-outs.
    const { ask, outcomeOf } = resolver([one, two], { timeoutMs: 1_000 });
    await outcomeOf('before.public.example');
    const silent = Array.from({ length: 200 }, (_, index) => ask(`silent${index}.public.example`));
    for (let turn = 0; turn < 60; turn += 1) {
      expect(await outcomeOf(`n${turn}.public.example`)).toBe(FIRST);
      await delay(20);
    }
    expect(new Set((await Promise.all(silent)).map(({ outcome }) => outcome))).toEqual(new Set([SECOND]));
  });

  test('costs no time if it is unreachable', async () => {
    await using two = await second();
    const { ask } = resolver([{ address: { ip: '127.0.0.1', port: 1 } } as FakeUpstream, two]);
    for (let turn = 0; turn < 10; turn += 1) {
      const { outcome, ms } = await ask(`n${turn}.public.example`);
      expect([outcome, ms < 300]).toEqual([SECOND, true]);
    }
  });

  test.each([
    ['SERVFAIL', 2],
    ['REFUSED', 5],
  ])('loses its turn immediately after %s, and absences are not cached', async (_name, rcode) => {
    let isIll = true;
    await using one = await FakeUpstream.start((query) => [
      isIll ? replyTo(query, [], { rcode }) : replyTo(query, [{ type: 'A', data: FIRST }]),
    ]);
    await using two = await second();
    const { ask, outcomeOf } = resolver([one, two], { timeoutMs: 5_000 });
    expect(await ask('wiki.corp.example')).toEqual({ outcome: 'absent', ms: expect.any(Number) });
    isIll = false;
    expect(await outcomeOf('wiki.corp.example')).toBe(FIRST);
  });
});

test('an absence from the first server is cached', async () => {
  await using one = await second();
  const { outcomeOf } = resolver([one], { timeoutMs: 5_000 });
  for (let turn = 0; turn < 3; turn += 1) expect(await outcomeOf('nope.example')).toBe('absent');
  expect(one.seen.length).toBe(1);
});

test('a late answer is used if the client still waits', async () => {
  await using slow = await FakeUpstream.start((query, { port }) => {
    setTimeout(() => slow.send(replyTo(query, [{ type: 'A', data: FIRST }]), port), 3_000);
    return [];
  });
  const { ask } = resolver([slow], {});
  const { outcome, ms } = await ask('slow.example');
  expect(outcome).toBe(FIRST);
  expect(ms).toBeLessThan(4_500);
});

test('a referral from a server without recursion is no answer', async () => {
  const refer = (query: DecodedPacket) =>
    dnsPacket.encode({
      type: 'response',
      id: query.id ?? 0,
      flags: dnsPacket.RECURSION_DESIRED,
      questions: query.questions ?? [],
      authorities: [{ type: 'NS', name: 'com', ttl: 60, data: 'a.gtld-servers.net' }],
    });
  await using lame = await FakeUpstream.start((query) => [refer(query)]);
  await using two = await second();
  expect(await resolver([lame, two], { timeoutMs: 5_000 }).outcomeOf('www.public.example')).toBe(SECOND);
  const client = new UpstreamClient({ timeoutMs: 5_000 });
  const message = await client.ask(questionOf('www.example'), { servers: [lame.address] });
  expect((message[3] as number) & 15).toBe(2);
});

test('with `use-vc` servers are queried only over TCP', async () => {
  await using server = await FakeUpstream.start(
    () => [],
    (query) => replyTo(query, [{ type: 'A', data: FIRST }]),
  );
  const client = new UpstreamClient({ timeoutMs: 5_000 });
  const set = { servers: [server.address], useTcp: true as const };
  const message = await client.ask(questionOf('www.example'), set);
  expect(dnsPacket.decode(message).answers).toMatchObject([{ data: FIRST }]);
  expect(server.seen.map(({ transport }) => transport)).toEqual(['tcp']);
});

import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { ForwardZone } from '../../../src/dns/forward/forward.ts';
import { parseRoute } from '../../../src/dns/forward/routes.ts';
import type { UpstreamSet } from '../../../src/dns/forward/upstreams.ts';
import { emptyReply, type Question } from '../../../src/dns/zone.ts';
import { eventually } from '../../support/eventually.ts';
import { questionOf } from '../question.ts';
import { rcodeOf } from '../read.ts';
import { replyTo } from '../upstream.ts';

/** Upstream servers with the test's answers; `asked` records the queries. */
class Others {
  readonly asked: string[] = [];
  isLoop = (_question: Question): boolean => false;
  answer: (question: Question) => Promise<Buffer> = async (question) => answerTo(question, '203.0.113.1');

  ask(question: Question, { servers }: UpstreamSet): Promise<Buffer> {
    this.asked.push(`${question.name} ${servers.map(({ ip }) => ip).join()}`);
    return this.answer(question);
  }
}

const queryOf = ({ asked, type }: Question) =>
  ({ id: 1, questions: [{ name: asked, type, class: 'IN' }] }) as dnsPacket.DecodedPacket;

function answerTo(question: Question, ip: string, ttl = 300): Buffer {
  return replyTo(queryOf(question), [{ type: 'A', data: ip, ttl }]);
}

const noAnswer = async () => {
  throw new Error('no upstream server answered');
};

function setUp({ local = true, now = () => 0 }: { local?: boolean; now?: () => number } = {}) {
  const others = new Others();
  const servers = [{ ip: '10.0.0.1', port: 53 }];
  const zone = new ForwardZone(
    {
      upstreams: { current: async () => ({ servers: [...servers] }) },
      client: others,
      isLocal: () => local,
      isOwn: ({ ip }) => ip === '10.0.0.3',
    },
    {
      ownDomains: ['heddle.example'],
      routes: ['corp.example=10.0.0.3', 'corp.example=10.0.0.2', 'own.example=10.0.0.3'].map(parseRoute),
      cache: { now },
    },
  );
  return { others, zone, servers };
}

async function addressOf(zone: ForwardZone, name: string): Promise<string> {
  const reply = (await zone.resolve(questionOf(name))) as { message: Buffer };
  const [answer] = dnsPacket.decode(reply.message).answers ?? [];
  const { data, ttl } = answer as { data: string; ttl: number };
  return `${data} ${ttl}`;
}

test.each([
  ['a name below our domain', questionOf('web.service.Heddle.example')],
  ['our domain itself', questionOf('heddle.example')],
  ['the bare word consul', questionOf('Consul')],
  ['a zone transfer', questionOf('example.com', 'AXFR')],
  ['a question without recursion', questionOf('example.com', 'A', { rd: false })],
])('%s is refused, and no server is queried', async (_what, question) => {
  const { zone, others } = setUp();
  expect(await zone.resolve(question)).toEqual(emptyReply('REFUSED'));
  expect(others.asked).toEqual([]);
});

test('a domain with silent servers leaves slots for other domains', async () => {
  const { zone, others } = setUp();
  others.answer = () => new Promise(() => {});
  const crowd = Array.from({ length: 2_048 }, (_, index) =>
    zone.resolve(questionOf(`n${index}.corp.example`)),
  );
  const turnedAway = crowd.map((each) => each.then(() => 'answered').catch((error: Error) => error.message));
  await expect(Promise.race(turnedAway)).resolves.toMatch(/clients are already waiting for upstream servers/);
  others.answer = async (question) => answerTo(question, '203.0.113.1');
  expect(await addressOf(zone, 'www.example.com')).toBe('203.0.113.1 300');
});

test('a client of another network is refused', async () => {
  const { zone, others } = setUp({ local: false });
  expect(await zone.resolve(questionOf('example.com'))).toEqual(emptyReply('REFUSED'));
  expect(others.asked).toEqual([]);
});

test.each([
  ['notheddle.example', '10.0.0.1'],
  ['web.consul', '10.0.0.1'],
  ['consul.example', '10.0.0.1'],
  ['www.Corp.example', '10.0.0.2'],
  ['corp.example', '10.0.0.2'],
  ['www.own.example', ''],
])('%s is forwarded to %s, never to ourselves', async (name, server) => {
  const { zone, others } = setUp();
  expect(await zone.resolve(questionOf(name))).toHaveProperty('message');
  expect(others.asked).toEqual([`${name.toLowerCase()} ${server}`]);
});

test('a query in a loop fails, even if the same one is in flight for another client', async () => {
  const { zone, others } = setUp();
  others.answer = () => new Promise(() => {});
  void zone.resolve(questionOf('example.com'));
  await eventually(() => expect(others.asked.length).toBe(1));
  others.isLoop = () => true;
  await expect(zone.resolve(questionOf('example.com'))).rejects.toThrow('forwarding loop');
  expect(others.asked.length).toBe(1);
});

describe('an answer', () => {
  test('is cached for its TTL, and queried again after it (TestServerDbCacheExpiration)', async () => {
    let now = 0;
    const { zone, others } = setUp({ now: () => now });
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 300');
    now = 100_000;
    expect(await addressOf(zone, 'EXAMPLE.com')).toBe('203.0.113.1 200');
    expect(others.asked.length).toBe(1);
    now = 300_000;
    others.answer = async (question) => answerTo(question, '203.0.113.2');
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.2 300');
    expect(others.asked.length).toBe(2);
  });

  test('is only used for the same question', async () => {
    const { zone, others } = setUp();
    await addressOf(zone, 'example.com');
    for (const question of [
      questionOf('example.com', 'AAAA'),
      questionOf('example.com', 'A', { cd: true }),
      questionOf('example.com', 'A', { edns: { size: 1232, do: true } }),
      questionOf('www.example.com'),
    ]) {
      await zone.resolve(question);
    }
    expect(others.asked.length).toBe(5);
    await zone.resolve(questionOf('example.com', 'A', { edns: { size: 1232 } }));
    expect(others.asked.length).toBe(5);
  });

  test('is queried once, however many clients wait for it', async () => {
    const { zone, others } = setUp();
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    others.answer = () => promise;
    const asked = Array.from({ length: 10 }, () => addressOf(zone, 'example.com'));
    await eventually(() => expect(others.asked.length).toBe(1));
    resolve(answerTo(questionOf('example.com'), '203.0.113.9'));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['203.0.113.9 300']));
    expect(others.asked.length).toBe(1);
  });

  test('that has expired is served for a day while no server answers', async () => {
    let now = 0;
    const { zone, others } = setUp({ now: () => now });
    await addressOf(zone, 'example.com');
    others.answer = noAnswer;
    now = 301_000;
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 30');
    expect(others.asked.length).toBe(2);
    now = 300_000 + 86_400_000;
    await expect(zone.resolve(questionOf('example.com'))).rejects.toThrow('no upstream server answered');
  });

  test.each([
    ['FORMERR', 1],
    ['SERVFAIL', 2],
    ['NOTIMP', 4],
    ['REFUSED', 5],
    ['NOTAUTH', 9],
  ])('that has expired is served while the servers only answer %s', async (_name, rcode) => {
    let now = 0;
    const { zone, others } = setUp({ now: () => now });
    await addressOf(zone, 'example.com');
    others.answer = async (question) => replyTo(queryOf(question), [], { rcode });
    now = 301_000;
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 30');
  });

  test('that has expired is not served in place of a denial', async () => {
    let now = 0;
    const { zone, others } = setUp({ now: () => now });
    await addressOf(zone, 'example.com');
    others.answer = async (question) => replyTo(queryOf(question), [], { rcode: 3 });
    now = 301_000;
    const { message } = (await zone.resolve(questionOf('example.com'))) as { message: Buffer };
    expect(rcodeOf(dnsPacket.decode(message))).toBe('NXDOMAIN');
  });

  test('is served stale after a change of servers, if the new ones do not answer or none exist', async () => {
    const { zone, others, servers } = setUp();
    await addressOf(zone, 'example.com');
    others.answer = noAnswer;
    servers.splice(0, 1, { ip: '10.0.0.9', port: 53 });
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 30');
    servers.length = 0;
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 30');
    expect(others.asked).toEqual(['example.com 10.0.0.1', 'example.com 10.0.0.9', 'example.com ']);
  });

  test('of the former servers is not served while the new ones answer', async () => {
    const { zone, others, servers } = setUp();
    await addressOf(zone, 'example.com');
    servers.splice(0, 1, { ip: '10.0.0.9', port: 53 });
    others.answer = async (question) => answerTo(question, '203.0.113.2');
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.2 300');
  });

  test('that has expired is served after a moment if the new one takes long', async () => {
    let now = 0;
    const { zone, others } = setUp({ now: () => now });
    await addressOf(zone, 'example.com');
    now = 301_000;
    others.answer = () => new Promise(() => {});
    const started = performance.now();
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 30');
    expect(performance.now() - started).toBeGreaterThan(1_500);
    // The next client need not wait as well, although the servers have not failed yet.
    const again = performance.now();
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 30');
    expect(performance.now() - again).toBeLessThan(1_000);
  });

  test('that has expired is served immediately if the servers were silent before, and they are queried meanwhile', async () => {
    let now = 0;
    const { zone, others } = setUp({ now: () => now });
    for (const name of ['example.com', 'www.example.com']) await addressOf(zone, name);
    others.answer = noAnswer;
    now = 301_000;
    await addressOf(zone, 'example.com');
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    others.answer = () => promise;
    const started = performance.now();
    expect(await addressOf(zone, 'www.example.com')).toBe('203.0.113.1 30');
    expect(performance.now() - started).toBeLessThan(1_000);
    resolve(answerTo(questionOf('www.example.com'), '203.0.113.2'));
    await promise;
    await eventually(async () => expect(await addressOf(zone, 'www.example.com')).toBe('203.0.113.2 300'));
    expect(others.asked.length).toBe(4);
  });
});

describe('a failure', () => {
  test.each([
    ['of servers that do not answer', noAnswer],
    ['that they answer', async (question: Question) => replyTo(queryOf(question), [], { rcode: 5 })],
  ])('%s is repeated for two seconds without another query', async (_what, answer) => {
    let now = 0;
    const { zone, others } = setUp({ now: () => now });
    others.answer = answer;
    const outcome = () => zone.resolve(questionOf('example.com')).catch((error: Error) => error.message);
    const first = await outcome();
    now = 1_999;
    expect(await outcome()).toEqual(first);
    expect(others.asked.length).toBe(1);
    now = 2_000;
    others.answer = async (question) => answerTo(question, '203.0.113.1');
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 300');
  });

  test('is only used for the same question and the same servers', async () => {
    const { zone, others, servers } = setUp();
    others.answer = noAnswer;
    await expect(zone.resolve(questionOf('example.com'))).rejects.toThrow();
    others.answer = async (question) => answerTo(question, '203.0.113.1');
    expect(await addressOf(zone, 'www.example.com')).toBe('203.0.113.1 300');
    servers.splice(0, 1, { ip: '10.0.0.9', port: 53 });
    expect(await addressOf(zone, 'example.com')).toBe('203.0.113.1 300');
  });

  test('is cached without records: only its code remains', async () => {
    const { zone, others } = setUp();
    others.answer = async (question) => {
      const lie = replyTo(queryOf(question), [{ type: 'A', data: '203.0.113.9' }], { rcode: 2 });
      return Buffer.concat([lie, Buffer.alloc(60_000)]);
    };
    const { message } = (await zone.resolve(questionOf('example.com'))) as { message: Buffer };
    expect(message.length).toBe(12 + questionOf('example.com').bytes.length);
    expect(rcodeOf(dnsPacket.decode(message))).toBe('SERVFAIL');
  });
});

import dnsPacket, { type Answer } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { ForwardCache } from '../../../src/dns/forward/forward-cache.ts';
import { questionOf } from '../question.ts';

const soa = (ttl: number, minimum: number) => ({
  type: 'SOA',
  name: 'example.com',
  ttl,
  data: {
    mname: 'ns.example.com',
    rname: 'h.example.com',
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum,
  },
});
const a = (ttl: number) => ({ type: 'A', name: 'example.com', ttl, data: '203.0.113.1' });
const alias = (ttl: number) => ({ type: 'CNAME', name: 'example.com', ttl, data: 'real.example.com' });
const ns = { type: 'NS', name: 'example.com', ttl: 60, data: 'ns.example.com' };

function message(answers: object[], authorities: object[] = [], flags = 0): Buffer {
  return dnsPacket.encode({
    type: 'response',
    flags,
    questions: [{ name: 'example.com', type: 'A' }],
    answers: answers as Answer[],
    authorities: authorities as Answer[],
  });
}
const from = '10.0.0.1:53';
const [NXDOMAIN, SERVFAIL] = [3, 2];

/** How many seconds a cache answers with a message. */
function lifetime(kept: Buffer, type = 'A'): number {
  const holdsAt = (seconds: number) => {
    let now = 0;
    const cache = new ForwardCache({ now: () => now });
    cache.put('key', { question: questionOf('example.com', type), message: kept, from });
    now = seconds * 1000 - 1;
    return cache.get('key', from)?.fresh ?? false;
  };
  let [holds, ends] = [0, 200_000];
  while (ends - holds > 1) {
    const middle = (holds + ends) >> 1;
    if (holdsAt(middle)) holds = middle;
    else ends = middle;
  }
  return holds;
}

describe('an answer is cached (TestCacheEntries)', () => {
  test.each([
    ['as long as its records hold', message([a(60)]), 60],
    ['as long as the first of them holds', message([a(60), a(20)]), 20],
    ['with the alias that leads there', message([alias(30), a(60)]), 30],
    ['for a day at most', message([a(1_000_000)]), 86_400],
    ['never with TTL 0', message([a(0)]), 0],
    ['never with a TTL below zero', message([a(0x8000_0001)]), 0],
    ['never when it is cut', message([a(60)], [], dnsPacket.TRUNCATED_RESPONSE), 0],
    ['never when it is a failure', message([], [soa(60, 60)], SERVFAIL), 0],
    ['as absent, as long as the SOA holds', message([], [soa(60, 3600)], NXDOMAIN), 60],
    ['as absent, as long as the SOA says', message([], [soa(3600, 60)], NXDOMAIN), 60],
    ['as absent, for three hours at most', message([], [soa(86_400, 86_400)], NXDOMAIN), 10_800],
    ['as empty likewise', message([], [soa(60, 90)]), 60],
    ['as an alias that leads nowhere', message([alias(20)], [soa(60, 90)], NXDOMAIN), 20],
    ['never as absent without an SOA', message([], [], NXDOMAIN), 0],
    ['never as a hint to other servers', message([], [ns]), 0],
    ['never as an alias that is left to be followed', message([alias(20)]), 0],
  ])('%s', (_how, kept, seconds) => {
    expect(lifetime(kept)).toBe(seconds);
  });

  test('an alias answers queries for CNAME and for ANY', () => {
    expect(lifetime(message([alias(20)]), 'CNAME')).toBe(20);
    expect(lifetime(message([alias(20)]), 'ANY')).toBe(20);
  });
});

test('cached answers have their remaining TTLs; an SOA has the cache time of the absence (RFC 2308 §5)', () => {
  let now = 0;
  const cache = new ForwardCache({ now: () => now });
  const question = questionOf('example.com');
  cache.put('positive', { question, message: message([alias(100), a(60)], [ns]), from });
  cache.put('negative', { question, message: message([], [soa(100, 80)], NXDOMAIN), from });
  now = 50_900;
  const ttls = (key: string) => {
    const { answers = [], authorities = [] } = dnsPacket.decode(cache.get(key, from)?.message as Buffer);
    return [...answers, ...authorities].map((record) => (record as { ttl: number }).ttl);
  };
  expect(ttls('positive')).toEqual([50, 10, 10]);
  expect(ttls('negative')).toEqual([30]);
  now = 100_000;
  expect(ttls('positive')).toEqual([30, 30, 30]);
});

test('the answer of another set of servers is not fresh, and can be served stale', () => {
  const cache = new ForwardCache({ now: () => 0 });
  cache.put('key', { question: questionOf('example.com'), message: message([a(60)]), from });
  expect(cache.get('key', from)?.fresh).toBe(true);
  expect(cache.get('key', '10.0.0.2:53')?.fresh).toBe(false);
});

test('the cache is bounded, and drops the least recently used answer first (TestCacheLength)', () => {
  const cache = new ForwardCache({ maxBytes: 3_000, now: () => 0 });
  const question = questionOf('example.com');
  for (let index = 0; index < 100; index += 1) {
    cache.put(`key ${index}`, { question, message: message([a(60)]), from });
    cache.get('key 0', from);
  }
  const kept = Array.from({ length: 100 }, (_, index) => cache.get(`key ${index}`, from)).filter(Boolean);
  expect(kept.length).toBeGreaterThan(2);
  expect(kept.length).toBeLessThan(10);
  expect(cache.get('key 0', from)).toBeDefined();
});

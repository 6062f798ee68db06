import dnsPacket from 'dns-packet';
import { expect, test } from 'vitest';
import { ForwardZone } from '../../src/dns/forward.ts';
import { readQuery } from '../../src/dns/message.ts';
import type { Upstream } from '../../src/dns/upstreams.ts';
import { bare, type Question } from '../../src/dns/zone.ts';
import { eventually } from '../support/eventually.ts';
import { queryBytes } from './ask.ts';
import { FakeUpstream, manyAddresses, replyTo } from './upstream.ts';

function questionOf(name: string, type = 'A', options: Parameters<typeof queryBytes>[2] = {}): Question {
  const received = readQuery(queryBytes(name, type, options), '10.2.1.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  return received.query.question;
}

function zoneOf(
  upstreams: readonly Upstream[],
  { timeoutMs = 2_000, maxOutstanding = 512, local = true } = {},
) {
  const needs = { upstreams: { list: async () => upstreams }, isLocal: () => local };
  return new ForwardZone(needs, { ownDomains: ['heddle.example'], timeoutMs, maxOutstanding });
}

test.each([
  ['a name below our domain', questionOf('web.service.Heddle.example')],
  ['our domain itself', questionOf('heddle.example')],
  ['the bare word consul', questionOf('Consul')],
  ['a zone transfer', questionOf('example.com', 'AXFR')],
  ['a question without recursion', questionOf('example.com', 'A', { rd: false })],
])('%s is refused, and nobody is asked', async (_what, question) => {
  await using upstream = await FakeUpstream.start((query) => [replyTo(query, manyAddresses(1))]);
  expect(await zoneOf([upstream.address]).resolve(question)).toEqual(bare('REFUSED'));
  expect(upstream.seen).toEqual([]);
});

test.each(['notheddle.example', 'web.consul', 'consul.example'])('%s is a name like others', async (name) => {
  await using upstream = await FakeUpstream.start((query) => [replyTo(query, manyAddresses(1))]);
  expect(await zoneOf([upstream.address]).resolve(questionOf(name))).toHaveProperty('message');
});

test('a client of another network is refused', async () => {
  expect(await zoneOf([], { local: false }).resolve(questionOf('example.com'))).toEqual(bare('REFUSED'));
});

test('without an upstream, and with silent ones, the question fails with the reason', async () => {
  await expect(zoneOf([]).resolve(questionOf('example.com'))).rejects.toThrow(
    'no upstream answered: resolv.conf names no resolver but ourselves',
  );
  await using silent = await FakeUpstream.start(() => []);
  const { ip, port } = silent.address;
  await expect(
    zoneOf([silent.address], { timeoutMs: 50 }).resolve(questionOf('example.com')),
  ).rejects.toThrow(`no upstream answered: ${ip}:${port}: no answer in time`);
});

test('an upstream that cannot be reached at all is passed over', async () => {
  await using upstream = await FakeUpstream.start((query) => [replyTo(query, manyAddresses(1))]);
  // The discard prefix (RFC 6666) leads nowhere.
  const zone = zoneOf([{ ip: '100::1', port: 53 }, upstream.address], { timeoutMs: 300 });
  const reply = await zone.resolve(questionOf('example.com'));
  expect(dnsPacket.decode((reply as { message: Buffer }).message).answers?.length).toBe(1);
});

test('further questions than may be outstanding fail at once', async () => {
  await using silent = await FakeUpstream.start(() => []);
  const zone = zoneOf([silent.address], { timeoutMs: 100, maxOutstanding: 2 });
  const first = [zone.resolve(questionOf('a.example')), zone.resolve(questionOf('b.example'))];
  await expect(zone.resolve(questionOf('c.example'))).rejects.toThrow('2 questions are waiting');
  expect((await Promise.allSettled(first)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(zone.resolve(questionOf('c.example'))).rejects.toThrow('no answer in time');
});

test('a stop gives up at once, on all upstreams', async () => {
  await using silent = await FakeUpstream.start(() => []);
  const zone = zoneOf([silent.address, silent.address, silent.address], { timeoutMs: 60_000 });
  const asked = zone.resolve(questionOf('example.com')).catch((error: Error) => error.message);
  await eventually(() => expect(silent.seen.length).toBe(1));
  zone.stop();
  expect(await asked).toContain('no answer in time');
  expect(silent.seen.length).toBe(1);
});

import dnsPacket from 'dns-packet';
import { expect, test } from 'vitest';
import { readQuery } from '../../src/dns/message.ts';
import { encodeReply } from '../../src/dns/reply.ts';
import { shuffleSlots, slotsOf } from '../../src/dns/slots.ts';
import { bare, type Reply, type ResourceRecord } from '../../src/dns/zone.ts';
import { queryBytes } from './ask.ts';

const NAME = 'web.service.consul';
const address = (ip: string): ResourceRecord => ({
  name: NAME,
  ttl: 0,
  type: ip.includes(':') ? 'AAAA' : 'A',
  data: ip,
});
const replyOf = (...records: readonly ResourceRecord[]): Reply => ({
  ...bare('NOERROR', true),
  answers: records,
});
const srv: ResourceRecord = {
  name: NAME,
  ttl: 0,
  type: 'SRV',
  data: { priority: 1, weight: 1, port: 80, target: 'a.consul' },
};

function encoded(reply: Reply, edns = false): Buffer {
  const received = readQuery(queryBytes(NAME, 'A', edns ? { edns: { size: 512 } } : {}), '10.2.1.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  return encodeReply(received.query, reply, true);
}

test.each([
  ['IPv4', false, ['10.2.1.1', '10.2.1.2', '10.2.1.3']],
  ['IPv4 with an OPT record behind', true, ['10.2.1.1', '10.2.1.2', '10.2.1.3']],
  ['IPv6', true, ['fd00::1', 'fd00::2', 'fd00::3']],
])('addresses of %s come in every order, and all else stays', (_family, edns, ips) => {
  const reply = replyOf(...ips.map(address));
  const source = encoded(reply, edns);
  const slots = slotsOf(source, reply);
  if (!slots) throw new Error('no slots');
  const orders = new Set<string>();
  for (let turn = 0; turn < 500; turn += 1) {
    const message = Buffer.from(source);
    shuffleSlots(message, source, slots, Math.random);
    const { answers = [], ...rest } = dnsPacket.decode(message);
    const { answers: _, ...original } = dnsPacket.decode(source);
    expect(rest).toEqual(original);
    const data = answers.map((answer) => String((answer as { data: unknown }).data));
    expect(data.toSorted()).toEqual(ips);
    expect(answers.every(({ name }) => name === NAME)).toBe(true);
    orders.add(data.join());
  }
  expect(orders.size).toBe(6);
});

test.each([
  ['both families', replyOf(address('10.2.1.1'), address('fd00::1'))],
  ['other records', replyOf(srv, srv)],
  ['no answer', replyOf()],
  ['records behind them', { ...replyOf(address('10.2.1.1')), additionals: [address('10.2.1.2')] }],
  ['very many', replyOf(...Array.from({ length: 17 }, (_, index) => address(`10.2.1.${index}`)))],
  ['more than fit', replyOf(...Array.from({ length: 60 }, (_, index) => address(`10.2.1.${index}`)))],
])('%s are encoded anew for each order', (_what, reply) => {
  expect(slotsOf(encoded(reply), reply)).toBeUndefined();
});

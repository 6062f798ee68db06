import dnsPacket from 'dns-packet';
import { expect, test } from 'vitest';
import { fillTemplate, templateOf } from '../../../src/dns/cache/answer-template.ts';
import { HEADER_BYTES, readQuery } from '../../../src/dns/wire/message.ts';
import { encodeReply, encodeWhole } from '../../../src/dns/wire/reply.ts';
import { emptyReply, type Reply, type ResourceRecord } from '../../../src/dns/zone.ts';
import { queryBytes } from '../ask.ts';
import { textOf } from '../read.ts';

const NAME = 'web.service.consul';
const address = (ip: string, name = NAME): ResourceRecord => ({
  name,
  ttl: 0,
  type: ip.includes(':') ? 'AAAA' : 'A',
  data: ip,
});
const srv = (port: number, target: string): ResourceRecord => ({
  name: NAME,
  ttl: 0,
  type: 'SRV',
  data: { priority: 1, weight: 1, port, target },
});
const replyOf = (answers: readonly ResourceRecord[], additionals: readonly ResourceRecord[] = []): Reply => ({
  ...emptyReply('NOERROR', true),
  answers,
  additionals,
});
const many = (count: number) => Array.from({ length: count }, (_, index) => address(`10.2.1.${index}`));

function template(reply: Reply, edns: boolean) {
  const packet = queryBytes(NAME, 'A', edns ? { edns: { size: 512 } } : {});
  const received = readQuery(packet, '10.2.1.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  const { query } = received;
  const message = encodeReply(query, reply, true);
  const end = HEADER_BYTES + query.question.bytes.length;
  const made = templateOf(message, end, () => encodeWhole(query, reply, true));
  return { packet, message, made };
}

/** Everything except the order of the answers. */
function decoded(message: Buffer) {
  const { answers = [], ...rest } = dnsPacket.decode(message);
  return { answers: answers.map(textOf), rest };
}

test.each([
  ['IPv4', replyOf(['10.2.1.1', '10.2.1.2', '10.2.1.3'].map((ip) => address(ip)))],
  ['IPv6', replyOf(['fd00::1', 'fd00::2', 'fd00::3'].map((ip) => address(ip)))],
  ['both families', replyOf(['10.2.1.1', 'fd00::2', '10.2.1.3'].map((ip) => address(ip)))],
  [
    'services on hosts of their own',
    replyOf(
      [srv(80, 'a.consul'), srv(81, 'bbb.consul'), srv(82, 'c.consul')],
      [address('10.2.1.1', 'a.consul'), address('10.2.1.2', 'bbb.consul'), address('fd00::3', 'c.consul')],
    ),
  ],
  [
    'services that share a host',
    replyOf(
      [srv(80, 'a.consul'), srv(81, 'a.consul'), srv(82, 'c.consul')],
      [address('10.2.1.1', 'a.consul'), address('10.2.1.3', 'c.consul')],
    ),
  ],
])('answers of %s occur in every order, and the rest is unchanged', (_what, reply) => {
  for (const edns of [false, true]) {
    const { packet, message, made } = template(reply, edns);
    if (!made) throw new Error('no template');
    const original = decoded(message);
    const orders = new Map<string, number>();
    for (let turn = 0; turn < 3_000; turn += 1) {
      const { answers, rest } = decoded(fillTemplate(made, packet, Math.random));
      if (turn < 100) expect(rest).toEqual(original.rest);
      expect(answers.toSorted()).toEqual(original.answers.toSorted());
      orders.set(answers.join(), (orders.get(answers.join()) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const times of orders.values()) expect(times / 3_000).toBeCloseTo(1 / 6, 1);
  }
});

test.each([false, true])('if not all answers fit, each message has others (EDNS: %s)', (edns) => {
  const { packet, message, made } = template(replyOf(many(60)), edns);
  if (!made) throw new Error('no template');
  const original = decoded(message);
  expect(original.answers.length).toBeLessThan(60);
  const seen = new Set<string>();
  for (let turn = 0; turn < 200; turn += 1) {
    const { answers, rest } = decoded(fillTemplate(made, packet, Math.random));
    expect(rest).toEqual(original.rest);
    expect(new Set(answers).size).toBe(original.answers.length);
    for (const answer of answers) seen.add(answer);
  }
  expect([...seen].toSorted()).toEqual(
    many(60)
      .map((record) => `${NAME} 0 A ${record.data}`)
      .toSorted(),
  );
});

test('id and letter case are those of each query', () => {
  const { made } = template(replyOf(many(2)), false);
  const { id, questions, answers } = dnsPacket.decode(
    fillTemplate(
      made as NonNullable<typeof made>,
      queryBytes('WEB.service.Consul', 'A', { id: 7 }),
      Math.random,
    ),
  );
  expect([id, questions?.[0]?.name, answers?.[1]?.name]).toEqual([
    7,
    'WEB.service.Consul',
    'WEB.service.Consul',
  ]);
});

const hosts = Array.from({ length: 40 }, (_, index) => srv(index, `a${index}.consul`));
test.each([
  [
    'a name that stands for another',
    replyOf([{ name: NAME, ttl: 0, type: 'CNAME', data: 'a.b' }, address('10.2.1.1', 'a.b')]),
  ],
  ['a name behind them that is no target', replyOf(many(2), [address('10.2.1.2', 'other.consul')])],
  [
    'services of which not all fit',
    replyOf(
      hosts,
      hosts.map((_, index) => address('10.2.1.1', `a${index}.consul`)),
    ),
  ],
  ['both families of which not all fit', replyOf([...many(30), ...many(30).map(() => address('fd00::1'))])],
])('%s is encoded anew each time', (_what, reply) => {
  expect(template(reply, false).made).toBeUndefined();
});

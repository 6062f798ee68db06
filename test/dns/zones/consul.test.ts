import dnsPacket from 'dns-packet';
import { beforeEach, expect, test } from 'vitest';
import type { Question, Reply } from '../../../src/dns/zone.ts';
import { emptyReply } from '../../../src/dns/zone.ts';
import { ConsulZone } from '../../../src/dns/zones/consul.ts';
import { questionOf } from '../question.ts';

const asked: Question[] = [];
const answer = (question: Question, records: readonly object[], rcode = 0) =>
  dnsPacket.encode({
    type: 'response',
    flags: dnsPacket.AUTHORITATIVE_ANSWER | rcode,
    questions: [{ name: question.asked, type: 'A' }],
    answers: records as dnsPacket.Answer[],
  });
const address = (name: string) => ({ type: 'A', name, ttl: 30, data: '10.9.9.9' });
const consul = {
  resolve: async (question: Question) => {
    asked.push(question);
    if (question.labels[0] === 'refused') return emptyReply('REFUSED');
    return { message: answer(question, [address(question.asked.toUpperCase())]) };
  },
};
const zone = new ConsulZone({ consul }, { domain: 'consul', altDomain: 'Alt.Example', datacenter: 'dc1' });

beforeEach(() => {
  asked.length = 0;
});

test.each([
  ['web.service.dc2.consul', 'A'],
  ['v1.web.service.DC2.consul', 'SRV'],
  ['n1.node.dc2.consul', 'A'],
  ['find-web.query.consul', 'A'],
  ['find-web.query.dc1.consul', 'A'],
  ['_web._tcp.dc2.consul', 'SRV'],
  ['web.connect.consul', 'A'],
  ['web.ingress.dc1.consul', 'SRV'],
  ['web.virtual.consul', 'A'],
])('%s %s is asked from Consul', async (name, type) => {
  const question = questionOf(name, type);
  expect(await zone.resolve(question)).toEqual({ message: expect.any(Buffer) });
  expect(asked).toEqual([question]);
});

test.each([
  ['web.service.consul', 'A'],
  ['web.service.alt.example', 'A'],
  ['web.service.dc1.consul', 'A'],
  ['web.service.dc2.extra.consul', 'A'],
  ['0a020101.addr.dc2.consul', 'A'],
  ['query.consul', 'A'],
  ['find.query.a.b.consul', 'A'],
  ['consul', 'A'],
  ['web.service.dc2.consul', 'SOA'],
  ['web.service.dc2.consul', 'AXFR'],
  ['web.service.dc2.consul.example', 'A'],
  ['web.service.dc2.notalt.example', 'A'],
])('%s %s is passed on', (name, type) => {
  expect(zone.resolve(questionOf(name, type))).toBeUndefined();
});

test('below the second domain, Consul is asked for the name below the first, and the answer has the name asked for', async () => {
  const reply = (await zone.resolve(questionOf('Web.Service.dc2.ALT.example', 'A'))) as Reply;
  expect(reply.answers).toEqual([{ ...address('Web.Service.dc2.ALT.example') }]);
  expect(reply).toMatchObject({ rcode: 'NOERROR', authoritative: true });
  const { bytes, ...there } = questionOf('Web.Service.dc2.consul', 'A');
  expect(asked).toMatchObject([there]);
  expect(asked.map((one) => Buffer.from(one.bytes))).toEqual([Buffer.from(bytes)]);
});

test('below the second domain, a missing answer of Consul is passed on unchanged', async () => {
  expect(await zone.resolve(questionOf('refused.query.alt.example'))).toMatchObject({ rcode: 'REFUSED' });
});

test('a name that would be too long below the first domain is not forwarded', async () => {
  const long = new ConsulZone({ consul }, { domain: 'a-long.domain', altDomain: 'b', datacenter: 'dc1' });
  const labels = Array.from({ length: 4 }, () => 'x'.repeat(60)).join('.');
  expect(await long.resolve(questionOf(`${labels}.query.b`))).toBeUndefined();
  expect(asked).toEqual([]);
});

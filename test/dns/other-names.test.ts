import type dnsPacket from 'dns-packet';
import type { Answer } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { hostRecords, type OtherNames } from '../../src/dns/other-names.ts';
import { readQuery } from '../../src/dns/wire/message.ts';
import { emptyReply, type Question } from '../../src/dns/zone.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { WeaveZone } from '../../src/dns/zones/weave.ts';
import { queryBytes } from './ask.ts';
import { RecordedView } from './recorded-view.ts';
import { replyTo } from './upstream.ts';

function questionOf(packet: Buffer): Question {
  const received = readQuery(packet, '10.2.1.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  return received.query.question;
}

/** Servers that answer any question with these records, and record their queries. */
function others(answers: readonly Partial<Answer>[]): OtherNames & { readonly asked: Question[] } {
  const asked: Question[] = [];
  const resolve = async (question: Question) => {
    asked.push(question);
    const query = { id: 1, questions: [{ name: question.asked, type: question.type, class: 'IN' }] };
    return { message: replyTo(query as dnsPacket.DecodedPacket, answers) };
  };
  return { asked, resolve };
}

const alias = { type: 'CNAME', data: 'real.example.com' } as const;
const address = { type: 'A', name: 'real.example.com', data: '203.0.113.7' } as const;

describe('the records of a host', () => {
  test('are its addresses and the aliases that lead there', async () => {
    const names = others([alias, address, { type: 'TXT', data: 'no address' }]);
    const records = await hostRecords(
      names,
      'Backend.example.com',
      questionOf(queryBytes('web.service.consul', 'SRV')),
    );
    expect(records).toEqual([
      { name: 'Backend.example.com', ttl: 0, ...alias },
      { ttl: 0, ...address },
    ]);
    expect(names.asked).toMatchObject([
      { asked: 'Backend.example.com', type: 'A', client: '10.2.1.1', recursionDesired: true },
    ]);
  });

  test('have the name in the letter case of the question, whatever letters the upstream query had', async () => {
    const shouting = (question: Question) => ({ ...question, asked: question.asked.toUpperCase() });
    const names = others([
      { ...address, name: 'BACKEND.example.COM' },
      { type: 'A', data: '203.0.113.8' },
    ]);
    const question = questionOf(queryBytes('web.service.consul', 'SRV'));
    const records = await hostRecords(
      { resolve: (question) => names.resolve(shouting(question)) },
      'backend.example.com',
      question,
    );
    expect(records.map(({ name }) => name)).toEqual(['backend.example.com', 'backend.example.com']);
  });

  test('are of the family of the client’s question, and asked on its behalf', async () => {
    const names = others([]);
    await hostRecords(
      names,
      'backend.example.com',
      questionOf(queryBytes('web.service.consul', 'AAAA', { rd: false })),
    );
    expect(names.asked).toMatchObject([{ type: 'AAAA', recursionDesired: false }]);
  });

  test('are bounded, however many are received, and leave out invalid names', async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ ...address, data: `203.0.113.${index}` }));
    const question = questionOf(queryBytes('web.service.consul', 'A'));
    expect((await hostRecords(others(many), 'backend.example.com', question)).length).toBe(32);
    // Bytes that are not UTF-8 grow when dns-packet converts them to text: 40 become 120.
    const wild = others([{ ...address, name: `${'a'.repeat(40)}.example.com` }]);
    const resolve = async (question: Question) => {
      const { message } = (await wild.resolve(question)) as { message: Buffer };
      const at = message.lastIndexOf('a'.repeat(40));
      return { message: message.fill(0xff, at, at + 40) };
    };
    expect(await hostRecords({ resolve }, 'backend.example.com', question)).toEqual([]);
  });

  test.each([
    ['is refused', async () => emptyReply('REFUSED')],
    ['fails', () => Promise.reject(new Error('no upstream server answered'))],
    ['is no message', async () => ({ message: Buffer.from('123481800001000900000000', 'hex') })],
  ])('are none when the question %s', async (_how, resolve) => {
    const question = questionOf(queryBytes('web.service.consul', 'A'));
    expect(await hostRecords({ resolve }, 'backend.example.com', question)).toEqual([]);
  });
});

describe('a service at a host of another domain', () => {
  const settings = { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1', serviceTtl: { web: 30 } };
  const hosts = Array.from({ length: 20 }, (_, index) => ({
    via: 'agent-service',
    body: { ID: `many-${index}`, Name: 'many', Address: `host${index}.example.com`, Port: 80 },
  }));
  const view = new RecordedView([
    { via: 'agent-service', body: { ID: 'web-1', Name: 'web', Address: 'backend.example.com', Port: 80 } },
    ...hosts,
  ]);
  const zoneOf = (names: OtherNames) =>
    new ServiceZone({ view, hostRecords: (host, question) => hostRecords(names, host, question) }, settings);

  test('is answered with the host’s addresses behind its name, all with the service’s time to live', async () => {
    const reply = await zoneOf(others([alias, address])).resolve(
      questionOf(queryBytes('web.service.consul', 'A')),
    );
    expect(reply?.answers).toEqual([
      { name: 'web.service.consul', ttl: 30, type: 'CNAME', data: 'backend.example.com' },
      { name: 'backend.example.com', ttl: 30, ...alias },
      { ...address, ttl: 30 },
    ]);
  });

  test('has them as additionals of its SRV record', async () => {
    const reply = await zoneOf(others([address])).resolve(
      questionOf(queryBytes('web.service.consul', 'SRV')),
    );
    expect(reply?.answers[0]?.data).toMatchObject({ target: 'backend.example.com' });
    expect(reply?.additionals).toEqual([{ ...address, ttl: 30 }]);
  });

  test('that is a container is answered with the container’s addresses, without a forwarded query', async () => {
    const names = new NameTable();
    names.set('a', [{ name: 'db.weave.local', ip: '10.2.1.7', explicit: false }]);
    const weave = new WeaveZone({ names }, { domain: 'weave.local' });
    const ours = { resolve: async (question: Question) => weave.resolve(question) };
    const view = new RecordedView([
      { via: 'agent-service', body: { ID: 'db-1', Name: 'db', Address: 'DB.weave.local', Port: 80 } },
    ]);
    const zone = new ServiceZone(
      { view, hostRecords: (host, question) => hostRecords(ours, host, question) },
      settings,
    );
    const address = { name: 'DB.weave.local', ttl: 0, type: 'A', data: '10.2.1.7' };
    const reply = await zone.resolve(questionOf(queryBytes('db.service.consul', 'A')));
    expect(reply?.answers).toEqual([
      { name: 'db.service.consul', ttl: 0, type: 'CNAME', data: 'DB.weave.local' },
      address,
    ]);
    const srv = await zone.resolve(questionOf(queryBytes('db.service.consul', 'SRV')));
    expect(srv?.additionals).toEqual([address]);
  });

  test('costs a bounded number of questions, however many hosts it has', async () => {
    const names = others([address]);
    const reply = await zoneOf(names).resolve(questionOf(queryBytes('many.service.consul', 'SRV')));
    expect(reply?.answers.length).toBe(20);
    expect(names.asked.length).toBe(8);
  });
});

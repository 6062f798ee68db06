import dnsPacket, { type Answer, type StringAnswer } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_ALIASES } from '../../../../src/dns/forward/chain.ts';
import { relay } from '../../../../src/dns/forward/relay.ts';
import { readReply } from '../../../../src/dns/forward/upstream/reply.ts';
import { readQuery } from '../../../../src/dns/wire/message.ts';
import { recordsOf, validRecordsOf } from '../../../../src/dns/wire/records.ts';
import { rewritten } from '../../../../src/dns/wire/rewritten.ts';
import { count } from '../../../support/counts.ts';
import { queryBytes } from '../../ask.ts';
import { questionOf } from '../../question.ts';

const AUTHORITATIVE = dnsPacket.AUTHORITATIVE_ANSWER;
const NAME = 'www.example.com';
const a = (name: string, data = '203.0.113.1', ttl = 60) => ({ type: 'A', name, data, ttl });
const cname = (name: string, data: string) => ({ type: 'CNAME', name, data, ttl: 60 });

interface Sections {
  readonly answers?: readonly object[];
  readonly authorities?: readonly object[];
  readonly additionals?: readonly object[];
}

function messageOf(type: string, { answers = [], authorities = [], additionals = [] }: Sections): Buffer {
  return dnsPacket.encode({
    type: 'response',
    flags: AUTHORITATIVE,
    questions: [{ name: NAME, type, class: 'IN' }],
    answers,
    authorities,
    additionals,
  } as dnsPacket.Packet);
}

function read(type: string, sections: Sections) {
  const reply = readReply(questionOf(NAME, type), messageOf(type, sections));
  return reply?.message && dnsPacket.decode(reply.message);
}

const named = (records: readonly Answer[] = []) => records.map((record) => `${record.type} ${record.name}`);

describe('an answer keeps what belongs to its question', () => {
  test.each<[string, string, Sections, readonly string[]]>([
    ['the name itself', 'A', { answers: [a(NAME), a(NAME)] }, [`A ${NAME}`, `A ${NAME}`]],
    ['in any letters', 'A', { answers: [a('WWW.Example.COM')] }, ['A WWW.Example.COM']],
    ['its alias', 'A', { answers: [cname(NAME, 'b'), a('b')] }, [`CNAME ${NAME}`, 'A b']],
    ['in any order', 'A', { answers: [a('b'), cname(NAME, 'b')] }, ['A b', `CNAME ${NAME}`]],
    ['not another name', 'A', { answers: [a(NAME), a('bank.example')] }, [`A ${NAME}`]],
    ['not an alias of another one', 'A', { answers: [a(NAME), cname('bank.example', NAME)] }, [`A ${NAME}`]],
    [
      'one alias alone',
      'A',
      { answers: [cname(NAME, 'b'), cname(NAME, 'c'), a('b'), a('c')] },
      [`CNAME ${NAME}`, 'A b'],
    ],
    [
      'a PTR whatever is asked',
      'SOA',
      { answers: [{ type: 'PTR', name: NAME, data: 'b' }] },
      [`PTR ${NAME}`],
    ],
    ['not another type', 'AAAA', { answers: [a(NAME)] }, []],
    ['every type for who asks for any', 'ANY', { answers: [a(NAME), a('b')] }, [`A ${NAME}`]],
    [
      'aliases in a circle, once each',
      'A',
      { answers: [cname(NAME, 'b'), cname('b', NAME)] },
      [`CNAME ${NAME}`, 'CNAME b'],
    ],
  ])('%s', (_what, type, sections, expected) => {
    expect(named(read(type, sections)?.answers)).toEqual(expected);
  });

  test('of a chain of aliases so many', () => {
    const chain = Array.from({ length: 40 }, (_, n) => cname(n === 0 ? NAME : `n${n}`, `n${n + 1}`));
    expect(read('A', { answers: [...chain, a('n40')] })?.answers?.length).toBe(MAX_ALIASES + 1);
    expect(read('A', { answers: [...chain.slice(0, 16), a('n16')] })?.answers?.length).toBe(17);
  });

  test('who is in charge of the name, and of no other', () => {
    const ns = (name: string) => ({ type: 'NS', name, data: `ns.${name}`, ttl: 60 });
    const authorities = [ns('com'), ns('example.com'), ns('bank.example'), a('bank.example')];
    const additionals = [a('ns.example.com'), a('ns.bank.example'), a('other.example.com')];
    const reply = read('A', { answers: [a(NAME)], authorities, additionals });
    expect(named(reply?.authorities)).toEqual(['NS com', 'NS example.com']);
    expect(named(reply?.additionals)).toEqual(['A ns.example.com']);
  });

  test('the addresses that it leads to', () => {
    const srv = { type: 'SRV', name: NAME, data: { port: 80, target: 'Web1.example.com' }, ttl: 60 };
    const mx = { type: 'MX', name: NAME, data: { preference: 1, exchange: 'mx.example.com' }, ttl: 60 };
    const additionals = [a('web1.example.com'), a('mx.example.com'), a('bank.example')];
    expect(named(read('SRV', { answers: [srv], additionals })?.additionals)).toEqual(['A Web1.example.com']);
    expect(named(read('MX', { answers: [mx], additionals })?.additionals)).toEqual(['A mx.example.com']);
  });

  test('times to live of less than 2^31 seconds', () => {
    const answers = [0, 60, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1].map((ttl) => a(NAME, '203.0.113.1', ttl));
    const ttls = read('A', { answers })?.answers?.map((record) => (record as StringAnswer).ttl);
    expect(ttls).toEqual([0, 60, 2 ** 31 - 1, 0, 0]);
  });
});

describe('an answer is malformed', () => {
  const mx = { type: 'MX', name: NAME, data: { preference: 10, exchange: 'mail.example.com' }, ttl: 60 };
  const soa = { mname: 'a.b', rname: 'c.d', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 };
  const whole = {
    A: [a(NAME)],
    AAAA: [{ type: 'AAAA', name: NAME, data: '2001:db8::1', ttl: 60 }],
    CNAME: [cname(NAME, 'real.example.com')],
    MX: [mx, mx],
    NS: [{ type: 'NS', name: NAME, data: 'ns.example.com', ttl: 60 }],
    PTR: [{ type: 'PTR', name: NAME, data: 'host.example.com', ttl: 60 }],
    SOA: [{ type: 'SOA', name: NAME, data: soa, ttl: 60 }],
    SRV: [{ type: 'SRV', name: NAME, data: { port: 80, target: 'web.example.com' }, ttl: 60 }],
    TXT: [{ type: 'TXT', name: NAME, data: ['some text', 'and more'], ttl: 60 }],
  };

  test.each(Object.entries(whole))('%s, when it ends too early, wherever that is', (type, answers) => {
    const message = messageOf(type, { answers });
    const question = questionOf(NAME, type);
    expect(readReply(question, Buffer.from(message))).toBeDefined();
    for (let end = 12 + question.bytes.length; end < message.length; end += 1) {
      expect(readReply(question, message.subarray(0, end))).toBeUndefined();
    }
  });

  test.each(Object.entries(whole))('%s, when its data is shorter than its type', (type, answers) => {
    const message = messageOf(type, { answers: answers.slice(0, 1) });
    const [record] = recordsOf(message, 12 + questionOf(NAME, type).bytes.length);
    if (record === undefined) throw new Error('no record');
    for (let bytes = 1; bytes < record.end - record.dataAt; bytes += 1) {
      const short = Buffer.from(message.subarray(0, record.dataAt + bytes));
      short.writeUInt16BE(bytes, record.dataAt - 2);
      const isTextByChance = type === 'TXT' && bytes === 'some text'.length + 1;
      expect(readReply(questionOf(NAME, type), short) === undefined).toBe(!isTextByChance);
    }
  });
});

test('whatever bytes come, they are read within their bounds, and nothing throws', () => {
  const question = questionOf(NAME);
  const start = 12 + question.bytes.length;
  const received = readQuery(queryBytes(NAME, 'A', { edns: { size: 512 } }), '10.2.1.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  const { query } = received;
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.constantFrom(
      [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4],
      [0xc0, 0x0c, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 0x10],
      [1, 0x61, 0xc0, 0x0c, 0, 65, 0, 1, 0, 0, 0, 60, 0, 3, 0, 1, 0],
      [0xc0, 0x21, 0, 15, 0, 1, 0, 0, 0, 60, 0, 4, 0, 1, 0xc0, 0x0c],
    ),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }),
      fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }),
      (pieces, counts) => {
        const body = Buffer.concat(pieces.map((bytes) => Uint8Array.from(bytes)));
        const message = Buffer.concat([Buffer.alloc(12), question.bytes, body]);
        message.writeUInt32BE(0x8080_0001, 2);
        for (const [index, number] of counts.entries()) message.writeUInt16BE(number, 6 + 2 * index);
        const reply = readReply(question, Buffer.from(message));
        if (reply?.message === undefined) return;
        expect(validRecordsOf(reply.message, start)).toBeDefined();
        expect(relay(query, reply.message, true).length).toBeLessThanOrEqual(512);
      },
    ),
    { numRuns: count(5_000, 200_000) },
  );
});

test('a message that is written anew says the same, in fewer bytes', () => {
  const label = fc.constantFrom('a', 'web', 'Example', 'com', 'x'.repeat(63));
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
  const record = fc.oneof(
    name.map((data) => ({ type: 'CNAME', data })),
    name.map((data) => ({ type: 'NS', data })),
    name.map((exchange) => ({ type: 'MX', data: { preference: 1, exchange } })),
    name.map((target) => ({ type: 'SRV', data: { priority: 1, weight: 2, port: 3, target } })),
    name.map((mname) => ({
      type: 'SOA',
      data: { mname, rname: mname, serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
    })),
    fc.constant({ type: 'A', data: '203.0.113.1' }),
    fc.constant({ type: 'TXT', data: [Buffer.from('text')] }),
  );
  const owned = fc.array(
    fc.tuple(name, record).map(([owner, rest]) => ({ name: owner, ttl: 60, ...rest })),
    {
      maxLength: 12,
    },
  );
  const plain = (records: readonly object[] = []) => JSON.stringify(records).toLowerCase();
  fc.assert(
    fc.property(owned, owned, fc.integer({ min: 40, max: 3_000 }), (answers, additionals, limit) => {
      const message = messageOf('A', { answers, additionals });
      const start = 12 + questionOf(NAME).bytes.length;
      const written = rewritten(message, start, recordsOf(message, start), limit);
      expect(written.length).toBeLessThanOrEqual(Math.min(limit, message.length));
      const [before, after] = [dnsPacket.decode(message), dnsPacket.decode(written)];
      const kept = after.answers?.length ?? 0;
      expect(plain(after.answers)).toBe(plain(before.answers?.slice(0, kept)));
      expect(after.flag_tc).toBe(kept < answers.length);
      if (written.length + 1_200 < limit) expect(plain(after.additionals)).toBe(plain(before.additionals));
    }),
    { numRuns: count(1_000, 20_000) },
  );
});

import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { outgoingOpt, outgoingQuery } from '../../../../src/dns/forward/upstream/outgoing.ts';
import { isTruncated, judge } from '../../../../src/dns/forward/upstream/verdict.ts';
import { readQuery } from '../../../../src/dns/wire/message.ts';
import type { Question } from '../../../../src/dns/zone.ts';
import { queryBytes } from '../../ask.ts';
import { manyAddresses, replyTo } from '../../upstream.ts';

function outgoing(options: Parameters<typeof queryBytes>[2] = {}, type = 'AAAA', mark?: Buffer) {
  const received = readQuery(queryBytes('www.Example.com', type, options), '127.0.0.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  const { question } = received.query;
  return outgoingQuery(question, mark && outgoingOpt(mark, question.edns?.dnssecOk ?? false));
}

describe('a query to an upstream', () => {
  test('asks the same question, in letters of its own', () => {
    const spellings = new Set<string>();
    for (let turn = 0; turn < 20; turn += 1) {
      const { message, questionEnd } = outgoing();
      const { questions, flag_rd, flag_cd, additionals } = dnsPacket.decode(message);
      expect(questions).toEqual([{ name: expect.any(String), type: 'AAAA', class: 'IN' }]);
      expect(questions?.[0]?.name.toLowerCase()).toBe('www.example.com');
      expect([flag_rd, flag_cd, additionals, questionEnd]).toEqual([true, false, [], message.length]);
      spellings.add(questions?.[0]?.name ?? '');
    }
    expect(spellings.size).toBeGreaterThan(10);
  });

  test('has an OPT record of ours, with our mark and without the options of its asker', () => {
    const options = [{ code: 10, data: Buffer.alloc(8) }];
    const mark = Buffer.from('8 bytes!');
    const { message } = outgoing({ cd: true, edns: { size: 4096, do: true, options } }, 'A', mark);
    const { additionals, flag_cd } = dnsPacket.decode(message);
    expect(additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, flag_do: true }]);
    expect(additionals).toMatchObject([{ options: [{ code: 65_313, data: mark }] }]);
    expect(flag_cd).toBe(true);
    const received = readQuery(message, '10.2.1.1', 'udp');
    const { edns } = (received as { query: { question: Question } }).query.question;
    expect(edns).toEqual({ version: 0, udpSize: 1232, dnssecOk: true, loopMarks: Uint8Array.from(mark) });
  });

  test('asks for no DNSSEC records where its asker did not, and can do without OPT', () => {
    const { additionals } = dnsPacket.decode(outgoing({}, 'A', Buffer.alloc(8)).message);
    expect(additionals).toMatchObject([{ type: 'OPT', flag_do: false }]);
    expect(dnsPacket.decode(outgoing({ edns: { size: 512 } }).message).additionals).toEqual([]);
  });
});

describe('a message that comes back', () => {
  const query = outgoing();
  const decoded = dnsPacket.decode(query.message);
  const answer = replyTo(decoded, manyAddresses(1));
  const changed = (change: (reply: Buffer) => void) => {
    const reply = Buffer.from(answer);
    change(reply);
    return reply;
  };

  test.each([
    ['the answer', answer, 'answer'],
    ['another id', changed((reply) => reply.writeUInt8((reply[0] as number) ^ 1, 0)), 'other'],
    ['a query', changed((reply) => reply.writeUInt8((reply[2] as number) & 0x7f, 2)), 'other'],
    ['another opcode', changed((reply) => reply.writeUInt8((reply[2] as number) | 0x08, 2)), 'other'],
    ['two questions', changed((reply) => reply.writeUInt8(2, 5)), 'other'],
    ['another letter', changed((reply) => reply.write('v', 13)), 'other'],
    ['another type', changed((reply) => reply.writeUInt8(1, query.questionEnd - 3)), 'other'],
    ['another case', changed((reply) => reply.writeUInt8((reply[13] as number) ^ 0x20, 13)), 'case-changed'],
    ['a header alone', answer.subarray(0, 12), 'malformed'],
    ['half the question', answer.subarray(0, 20), 'malformed'],
    ['half of another question', changed((reply) => reply.write('v', 13)).subarray(0, 20), 'other'],
    ['an answer without a question', changed((reply) => reply.writeUInt8(0, 5)), 'malformed'],
    ['an error', changed((reply) => reply.writeUInt8(2, 3)), 'error'],
    ['an error in a header alone', changed((reply) => reply.writeUInt8(2, 3)).subarray(0, 12), 'error'],
    [
      'an error without a question',
      changed((reply) => reply.writeUInt32BE(0x8105_0000, 2)).subarray(0, 12),
      'error',
    ],
    ['an absence without a question', changed((reply) => reply.writeUInt32BE(0x8103_0000, 2)), 'malformed'],
    ['nothing', Buffer.alloc(0), 'other'],
  ] as const)('%s', (_what, reply, verdict) => {
    expect(judge(query, reply)).toBe(verdict);
  });

  test('has the very type that was asked for, even where the types differ in the bit of case', () => {
    // HTTPS is 65, which is `A`; 97 is `a`.
    const https = outgoing({}, 'UNKNOWN_65');
    const reply = Buffer.from(https.message);
    reply.writeUInt8(0x81, 2);
    expect(judge(https, reply)).toBe('answer');
    reply.writeUInt8(97, https.questionEnd - 3);
    expect(judge(https, reply)).toBe('other');
  });

  test('may say that it is cut', () => {
    expect(isTruncated(answer)).toBe(false);
    expect(isTruncated(replyTo(decoded, [], { flags: dnsPacket.TRUNCATED_RESPONSE }))).toBe(true);
  });
});

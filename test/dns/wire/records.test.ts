import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fullRcode, recordsOf, withoutOpt } from '../../../src/dns/wire/records.ts';
import { count } from '../../support/counts.ts';
import { queryBytes } from '../ask.ts';
import { manyAddresses, replyTo } from '../upstream.ts';

const START = 12 + 'example.com'.length + 2 + 4;
const query = dnsPacket.decode(queryBytes('example.com', 'A', { edns: { size: 1232 } }));
const whole = replyTo(query, manyAddresses(40));

describe('a message of another server', () => {
  test('loses its OPT record and nothing else', () => {
    const plain = dnsPacket.decode(withoutOpt(whole, START));
    expect([plain.answers?.length, plain.additionals]).toEqual([40, []]);
    expect(plain.answers).toEqual(dnsPacket.decode(whole).answers);
  });

  test('loses the records behind its OPT record', () => {
    const additionals = [
      { type: 'A', name: 'a.example', data: '203.0.113.1' },
      ...(query.additionals ?? []),
      { type: 'A', name: 'b.example', data: '203.0.113.2' },
    ] as dnsPacket.Answer[];
    const message = dnsPacket.encode({ type: 'response', questions: query.questions ?? [], additionals });
    const { additionals: left = [] } = dnsPacket.decode(withoutOpt(message, START));
    expect(left.map(({ name }) => name)).toEqual(['a.example']);
  });

  test('of which half is missing ends at its last complete record', () => {
    const half = withoutOpt(Buffer.from(whole.subarray(0, 520)), START);
    expect(dnsPacket.decode(half).answers?.length).toBe(18);
    expect(dnsPacket.decode.bytes).toBe(half.length);
  });

  test('has a response code of twelve bits', () => {
    expect(fullRcode(whole, recordsOf(whole, START))).toBe(0);
    const opt = { type: 'OPT', name: '.', extendedRcode: 1, udpPayloadSize: 512, options: [] };
    const message = dnsPacket.encode({
      type: 'response',
      questions: query.questions ?? [],
      additionals: [opt as unknown as dnsPacket.Answer],
    });
    expect(fullRcode(message, recordsOf(message, START))).toBe(16);
  });

  test('is read within its bounds, whatever bytes it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 300 }), (bytes) => {
        const message = Buffer.from(bytes);
        let last = 12;
        for (const { start, ttlAt, dataAt, end } of recordsOf(message, 12)) {
          expect([start, ttlAt + 6, end <= message.length, end >= dataAt]).toEqual([
            last,
            dataAt,
            true,
            true,
          ]);
          last = end;
        }
        const plain = withoutOpt(message, 12);
        expect(plain.length).toBeLessThanOrEqual(message.length);
        expect(recordsOf(plain, 12).some(({ type }) => type === 'OPT')).toBe(false);
      }),
      { numRuns: count(2_000, 100_000) },
    );
  });
});

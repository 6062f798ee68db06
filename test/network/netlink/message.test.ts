import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attribute, attributes, decode, encode, textOf } from '../../../src/network/netlink/message.ts';

describe('netlink messages', () => {
  test('are decoded as encoded, several in one datagram', () => {
    const request = fc.record({
      type: fc.nat(0xffff),
      flags: fc.nat(0xffff),
      body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 5 }), (requests) => {
        const datagram = Buffer.concat(requests.map((one, index) => encode(one, index + 1)));
        expect(decode(datagram)).toEqual(
          requests.map(({ type, flags, body }, index) => ({
            type,
            flags: flags | 1, // NLM_F_REQUEST
            sequence: index + 1,
            body,
          })),
        );
      }),
    );
  });

  test('that are truncated end the decoding without an error', () => {
    const whole = encode({ type: 16, flags: 0, body: Buffer.alloc(20, 7) }, 1);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(decode(whole.subarray(0, length))).toEqual([]);
      }),
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decode(Buffer.from(bytes))));
  });

  test('a header with a length below its own size ends the decoding', () => {
    expect(decode(Buffer.alloc(64))).toEqual([]);
  });
});

describe('netlink attributes', () => {
  test('are found by type, including nested ones', () => {
    const bytes = Buffer.concat([
      attribute(3, 'ethwe'),
      attribute(18, attribute(1, 'veth'), attribute(2, 7)),
    ]);
    const found = attributes(bytes);
    expect(textOf(found.get(3))).toBe('ethwe');
    const inner = attributes(found.get(18) ?? Buffer.alloc(0));
    expect(textOf(inner.get(1))).toBe('veth');
    expect(inner.get(2)).toEqual(Buffer.from([7, 0, 0, 0]));
  });

  test('have types without the storage flags', () => {
    const nested = attribute(0x8000 | 18, 1);
    expect([...attributes(nested).keys()]).toEqual([18]);
  });

  test('of any bytes are decoded without an error', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void attributes(Buffer.from(bytes))));
  });
});

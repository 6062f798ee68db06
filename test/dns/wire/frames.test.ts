import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader, frame } from '../../../src/dns/wire/frames.ts';

test('messages are read from a stream as they were written, however it is split', () => {
  const message = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 200 })),
      (messages, cuts) => {
        const reader = new FrameReader(300);
        const received: Buffer[] = [];
        let rest = Buffer.concat(messages.map(frame));
        for (const cut of cuts) {
          received.push(...reader.push(rest.subarray(0, cut)));
          rest = rest.subarray(cut);
        }
        received.push(...reader.push(rest));
        expect(received.map((one) => Uint8Array.from(one))).toEqual(messages);
      },
    ),
  );
});

test('a message that is too long is refused at its length', () => {
  const reader = new FrameReader(300);
  expect(reader.push(frame(Buffer.alloc(300))).length).toBe(1);
  expect(() => reader.push(Buffer.from([0x01, 0x2d]))).toThrow(
    'a message of 301 bytes; at most 300 are read',
  );
});

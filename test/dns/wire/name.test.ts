import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isName, labelBytes, readName, splitName } from '../../../src/dns/wire/name.ts';

const wire = (...labels: (string | number[])[]) =>
  Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label as string)])),
    Buffer.of(0),
  ]);

describe('a name on the wire', () => {
  test.each([
    ['the root', wire(), []],
    ['labels', wire('web', 'Service', 'consul'), ['web', 'Service', 'consul']],
    ['a dot inside a label', wire('a.b', 'c'), ['a\\.b', 'c']],
    ['a backslash', wire('a\\b'), ['a\\\\b']],
    ['a space and a zero', wire([0x20, 0]), ['\\032\\000']],
    ['bytes beyond ASCII', wire([0xc3, 0xa4]), ['\\195\\164']],
  ])('%s', (_what, bytes, labels) => {
    expect(readName(bytes, 0)).toEqual({ labels, end: bytes.length });
  });

  test.each([
    ['nothing at all', Buffer.alloc(0)],
    ['no end', Buffer.from('\x03web')],
    ['a label cut short', Buffer.from('\x04web')],
    ['a compression pointer', Buffer.from([0xc0, 0x0c])],
    ['a label of 64', Buffer.from([64, ...Buffer.alloc(64, 'a'), 0])],
    [
      '256 bytes',
      Buffer.from(
        [...Array.from({ length: 4 }, () => wire('a'.repeat(62)).subarray(0, 63)), wire('aa')].flatMap(
          (b) => [...b],
        ),
      ),
    ],
  ])('%s is no name', (_what, bytes) => {
    expect(readName(bytes, 0)).toBeUndefined();
  });

  test('of 255 bytes is the longest', () => {
    const name = wire('a'.repeat(62), 'a'.repeat(62), 'a'.repeat(62), 'a'.repeat(62), 'a');
    expect(name.length).toBe(255);
    expect(readName(name, 0)?.labels.length).toBe(5);
  });

  test('is restored from its text byte for byte, whatever its labels hold', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(label, { maxLength: 10 }), (labels) => {
        const bytes = wire(...labels.map((one) => [...one]));
        const text = readName(bytes, 0)?.labels.join('.') as string;
        expect(splitName(text).map(labelBytes)).toEqual(labels.map((one) => Buffer.from(one)));
      }),
    );
  });
});

test.each([
  ['backend.example.com', true],
  ['backend.example.com.', true],
  ['a'.repeat(63), true],
  ['bäckend.example', true],
  ['a'.repeat(64), false],
  [Array.from({ length: 5 }, () => 'a'.repeat(60)).join('.'), false],
  ['', false],
  ['.', false],
  ['a..b', false],
  ['.a', false],
])('%s: stands in a message: %s', (text, fits) => {
  expect(isName(text)).toBe(fits);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasBlock, withBlock, withoutBlock } from '../../src/host-dns/block.ts';

const lines = ['nameserver 172.17.0.1'];
/** Text of any bytes, as files are read. */
const anyText = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const anyLines = fc.array(
  fc.constantFrom('nameserver 10.0.0.2', '# heddle', '', '# heddle setup --host-dns', 'search a'),
);

describe("heddle's lines in a file of another owner", () => {
  test('stand at the start', () => {
    expect(withBlock('nameserver 10.0.0.2\n', lines)).toBe(
      '# heddle setup --host-dns: begin\nnameserver 172.17.0.1\n# heddle setup --host-dns: end\nnameserver 10.0.0.2\n',
    );
  });

  test('leave every byte as it was after their removal, and no file where there was none', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          anyLines.map((each) => each.join('\n')),
          fc.constant(undefined),
        ),
        (text) => {
          const changed = withBlock(text, lines);
          expect(hasBlock(changed)).toBe(true);
          expect(withoutBlock(changed)).toBe(text);
          expect(hasBlock(text)).toBe(false);
          expect(withoutBlock(text)).toBe(text);
        },
      ),
    );
  });

  test('are replaced by newer ones, never doubled', () => {
    fc.assert(
      fc.property(fc.option(anyText, { nil: undefined }), (text) => {
        const newer = ['nameserver 172.18.0.1'];
        expect(withBlock(withBlock(text, lines), newer)).toBe(withBlock(text, newer));
      }),
    );
  });

  test('are removed wherever another program has moved them', () => {
    const block = withBlock('', lines);
    expect(withoutBlock(`# written by others\n${block}search example\n`)).toBe(
      '# written by others\nsearch example\n',
    );
  });
});

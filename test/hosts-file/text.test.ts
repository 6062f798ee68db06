import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type OwnLines, withOwnLines, withoutOwnLines } from '../../src/hosts-file/text.ts';

/** As Docker writes it. */
const DOCKER = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n172.17.0.2\tweb.example.org web\n';
const own: OwnLines = {
  names: ['web.example.org', 'web'],
  ips: ['10.2.1.1', 'fd00::1'],
  entries: [{ name: 'db', ip: '10.2.9.9' }],
};

/** Text of any bytes, and texts similar to ours: whole, broken, in the wrong order, nested. */
const [begin = '', , , , end = ''] = withOwnLines('', own).split('\n');
const aside = (line: string): string => withOwnLines(line, own).split('\n').at(-1) ?? '';
const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const anyLines = fc
  .array(
    fc.constantFrom(begin, end, ...DOCKER.split('\n'), aside('172.17.0.2\tweb'), `${aside('x web')}\r`, '# '),
  )
  .map((lines) => lines.join('\n'));
const anyText = fc.oneof(anyBytes, anyLines);

/** The addresses that a program finds for a name, as the C library reads the file. */
const resolve = (text: string, name: string): string[] =>
  text.split('\n').flatMap((line) => {
    const [ip = '', ...names] = (line.split('#')[0] ?? '').split(/\s+/);
    return names.includes(name) ? [ip] : [];
  });

describe("our lines in a container's /etc/hosts", () => {
  test('come first, and replace the line for its own name', () => {
    expect(withOwnLines(DOCKER, own)).toBe(`\
# heddle attach --rewrite-hosts: begin
10.2.1.1 web.example.org web
fd00::1 web.example.org web
10.2.9.9 db
# heddle attach --rewrite-hosts: end
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost
# heddle attach --rewrite-hosts: instead of 172.17.0.2\tweb.example.org web
`);
  });

  test.each([
    ['web', ['10.2.1.1', 'fd00::1']],
    ['web.example.org', ['10.2.1.1', 'fd00::1']],
    ['db', ['10.2.9.9']],
    ['localhost', ['127.0.0.1', '::1']],
  ])('resolve %s', (name, ips) => {
    expect(resolve(withOwnLines(DOCKER, own), name)).toEqual(ips);
  });

  test.each([
    ['172.17.0.2\tweb', true],
    ['172.17.0.2 WEB web.example.org  # by docker', true],
    ['127.0.0.1\tlocalhost web', false],
    ['172.17.0.3\twebmail', false],
    ['# 172.17.0.2 web', false],
    ['web', false],
    ['', false],
  ])('%j is commented out: %s', (line, isAside) => {
    expect(withOwnLines(line, own).split('\n').includes(line)).toBe(!isAside);
  });

  it('leave every other byte unchanged when they are removed', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const clean = withoutOwnLines(text);
        expect(withoutOwnLines(withOwnLines(clean, own))).toBe(clean);
        expect(withOwnLines(clean, own)).not.toBe(clean);
        expect(withoutOwnLines(clean)).toBe(clean);
      }),
    );
    expect(withoutOwnLines(DOCKER)).toBe(DOCKER);
    fc.assert(fc.property(anyBytes, (text) => withoutOwnLines(text) === text));
  });

  it('are replaced by newer ones, never duplicated', () => {
    const newer: OwnLines = { names: ['web'], ips: ['10.2.1.7'], entries: [] };
    fc.assert(
      fc.property(anyText, (text) => {
        expect(withOwnLines(withOwnLines(text, own), own)).toBe(withOwnLines(text, own));
        expect(withOwnLines(withOwnLines(text, own), newer)).toBe(withOwnLines(text, newer));
      }),
    );
  });

  it('are not taken for Docker’s; a line that Docker adds for another network is commented out as well', () => {
    const connected = `${withOwnLines(DOCKER, own)}172.18.0.2\tweb.example.org web\n`;
    expect(resolve(withOwnLines(connected, own), 'web')).toEqual(['10.2.1.1', 'fd00::1']);
    expect(withoutOwnLines(withOwnLines(connected, own))).toBe(`${DOCKER}172.18.0.2\tweb.example.org web\n`);
    // Docker removes lines that end in a tab and the names.
    for (const line of withOwnLines(DOCKER, own).split('\n').slice(0, 5)) expect(line).not.toContain('\t');
  });
});

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { run } from '../../src/cli/cli.ts';
import { runOnHost } from '../../src/cli/program.ts';
import { table } from '../../src/commands/syntax/table.ts';
import { HeddleError } from '../../src/errors.ts';
import type { HostOperations } from '../../src/operations/host-operations.ts';
import { reportFailure } from '../../src/runtime/failure.ts';
import { collect } from '../../src/runtime/io.ts';
import { createLogger } from '../../src/runtime/log.ts';
import { printable, printableIo, printableJson, printableLines } from '../../src/runtime/printable.ts';

/** None of these characters may reach a terminal; line breaks are our own. */
const FORBIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for control characters
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

const HOSTILE = [
  ['ESC', '\u001b[2J'],
  ['OSC', '\u001b]0;title\u0007'],
  ['C1 CSI', '\u009b31m'],
  ['C1 OSC', '\u009d0;title\u009c'],
  ['newline', 'one\ntwo'],
  ['carriage return', 'one\rtwo'],
  ['backspace', 'one\b\b\btwo'],
  ['NUL', 'one\0two'],
  ['DEL', 'one\u007ftwo'],
  ['bidi override', 'one\u202etwo'],
  ['bidi isolate', 'one\u2067two'],
  ['right-to-left mark', 'one\u200ftwo'],
  ['zero width', 'o\u200bn\u2060e'],
  ['soft hyphen', 'o\u00adne'],
  ['line separator', 'one\u2028two'],
  ['byte order mark', '\ufeffone'],
  ['tag', 'one\u{e0041}two'],
  ['half a character', 'one\ud800two'],
] as const;
const ALL = HOSTILE.map(([, text]) => text).join('');

describe('untrusted text', () => {
  test.each(HOSTILE)('with %s is one plain line', (_, text) => {
    const shown = printable(text);
    expect(shown).not.toMatch(FORBIDDEN);
    expect(shown).not.toContain('\n');
    expect(shown).toContain('?');
  });

  test('that is plain stays unchanged', () => {
    for (const text of ['web-1', 'grüße', '日本', '😀', 'a b', '10.2.1.1/16'])
      expect(printable(text)).toBe(text);
    expect(printableLines('one\ttwo\nthree\n')).toBe('one\ttwo\nthree\n');
  });

  test('in JSON is escaped, and parsed back unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableJson({ text, ALL }, 2);
        expect(json).not.toMatch(FORBIDDEN);
        expect(JSON.parse(json)).toEqual({ text, ALL });
      }),
    );
  });
});

describe('nothing else is printed', () => {
  test('by the sinks of commands', () => {
    const [stdout, stderr] = [collect(), collect()];
    const io = printableIo({ stdout, stderr });
    io.stdout.write(`${ALL}\n`);
    io.stderr.write(`${ALL}\n`);
    expect(stdout.text + stderr.text).not.toMatch(FORBIDDEN);
  });

  test('in tables, where a cell has one line', () => {
    const text = table(['name'], [[ALL]], [[ALL]]);
    expect(text).not.toMatch(FORBIDDEN);
    expect(text.split('\n')).toHaveLength(4);
  });

  test('in failures, which have one line', () => {
    const stderr = collect();
    reportFailure(new HeddleError('refused', `Consul: ${ALL}`), { stderr });
    reportFailure(new Error(ALL), { stderr });
    expect(stderr.text).not.toMatch(FORBIDDEN);
    expect(stderr.text.split('\n')[1]).toMatch(/^heddle: unexpected failure/);
  });

  test.each([true, false])('in the log, pretty: %s', (pretty) => {
    const out = collect();
    createLogger({ level: 'info', pretty }, out).info({ zone: ALL, labels: { [ALL]: ALL } }, ALL);
    expect(out.text).not.toMatch(FORBIDDEN);
    expect(out.text.split('\n')).toHaveLength(2);
    if (!pretty) expect(JSON.parse(out.text)).toMatchObject({ zone: ALL, msg: ALL, labels: { [ALL]: ALL } });
  });

  test.each([
    ['dns-lookup', ['dns-lookup', 'x'], { lookUp: async () => [ALL] }],
    ['dns-lookup that fails', ['dns-lookup', 'x'], { lookUp: () => Promise.reject(new Error(ALL)) }],
    ['docker-bridge-ip', ['docker-bridge-ip'], { bridgeAddress: async () => ALL }],
    ['settings', ['settings'], { settings: async () => [{ name: ALL, value: ALL, source: ALL }] }],
    ['doctor', ['doctor'], { doctor: async () => [{ what: ALL, state: 'failed', detail: ALL, fix: ALL }] }],
    ['a wrong command', [`${ALL}x`], {}],
    ['a wrong option', ['ps', `--${ALL}`], {}],
  ])('by %s', async (_, argv, host) => {
    const [stdout, stderr] = [collect(), collect()];
    await runOnHost(argv, host as unknown as HostOperations, { stdout, stderr });
    expect(stdout.text + stderr.text).not.toBe('');
    expect(stdout.text + stderr.text).not.toMatch(FORBIDDEN);
    // A line break in untrusted text must not begin a new line.
    if (argv[0] === 'dns-lookup') expect(stdout.text).not.toMatch(/^two/m);
  });

  test('by the command line', async () => {
    const [stdout, stderr] = [collect(), collect()];
    expect(await run([`${ALL}x`], { stdout, stderr }, {})).not.toBe(0);
    expect(stderr.text).not.toBe('');
    expect(stderr.text).not.toMatch(FORBIDDEN);
  });
});

test('every command writes to an Io, and only the makers of one use the streams of the process', () => {
  const writing = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) =>
    /console\.|process\.std(out|err)|Io\(process\)|run\([^)]*, process,/.test(
      readFileSync(join(ROOT, file), 'utf8'),
    ),
  );
  expect(writing.sort()).toEqual(
    [
      ...[
        'src/commands/daemon/daemon.ts',
        'src/operations/local-host.ts',
        'src/here.ts',
        'src/runtime/log.ts',
        'src/main.ts',
      ],
      'src/runtime/standard-streams.ts',
    ].sort(),
  );
});

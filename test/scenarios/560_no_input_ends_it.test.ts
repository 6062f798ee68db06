import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HOST_COMMANDS } from '../../src/cli/program.ts';
import { daemonAt, runInDaemon } from '../../src/control/client.ts';
import { collect } from '../../src/runtime/io.ts';
import { clearWorld } from '../support/cleanup.ts';
import { count } from '../support/counts.ts';
import { dataOf } from '../support/dig.ts';
import { type Container, docker, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, heddle, startDaemon } from '../support/heddle.ts';
import { runProgram, succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';
import { countOfLines } from '../support/truth.ts';

/** DNS answers a name, and a command works. */
async function lives(daemon: Daemon, name: string, ip: string): Promise<void> {
  expect(dataOf(await daemon.dig(`${name}.service.consul`)), daemon.output).toEqual([ip]);
  expect(await daemonAt(daemon.socket)).toBeDefined();
}

const notMentioned = /unexpected failure|TypeError|\n\s+at /;

describe('the names of containers', () => {
  const { daemon } = scenario({ keepContainers: true });
  let honest: Container;
  let web: Container;
  beforeAll(async () => {
    honest = await daemon.run(['10.2.56.1/16'], ['-e', 'SERVICE_NAME=honest']);
    web = await runContainer();
    await eventually(() => lives(daemon, 'honest', '10.2.56.1'));
  });

  test('are accepted as docker inspect prints them, with a slash', async () => {
    const name = (await docker('inspect', '-f', '{{.Name}}', web.id)).trim();
    expect(name).toBe(`/${web.name}`);
    const run = async (...args: string[]) => {
      const outcome = await daemon.command(...args);
      expect(outcome, args.join(' ')).toMatchObject({ status: 0, stderr: '' });
      return outcome.stdout;
    };
    expect(await run('attach', '10.2.56.9/16', name)).toBe('10.2.56.9\n');
    await run('dns-add', name, '-h', 'nick');
    expect(dataOf(await daemon.dig('nick.weave.local'))).toEqual(['10.2.56.9']);
    expect(await run('ps', name)).toContain(web.name);
    await run('dns-remove', name, '-h', 'nick');
    await run('restart', name);
    expect(await run('detach', '10.2.56.9/16', name)).toBe('10.2.56.9\n');
    await docker('stop', '-t', '0', web.id);
    await run('start', '10.2.56.9/16', name);
    await run('detach', '10.2.56.9/16', name);
  });

  const attempts: readonly (readonly string[])[] = [
    ['attach', '10.2.56.8/16'],
    ['detach', '10.2.56.8/16'],
    ['start'],
    ['restart'],
    ['dns-add', '-h', 'nick'],
    ['dns-remove'],
    ['ps'],
    ['services'],
  ];
  test.each([
    '',
    '/',
    '//web',
    '..',
    '../../containers/json',
    'a b',
    'wéb',
    'x\n',
    '\u001b[31m',
    '%2e%2e',
    '?all=1',
  ])('that are invalid are refused in a sentence: %j', async (name) => {
    const sentence = /^heddle: [^\p{Cc}]*container[^\p{Cc}]*\n$/u;
    for (const attempt of attempts) {
      const [stdout, stderr] = [collect(), collect()];
      const status = await runInDaemon(daemon.socket, [...attempt, name], { stdout, stderr });
      expect({ status, stdout: stdout.text }, attempt.join(' ')).toEqual({ status: 2, stdout: '' });
      expect(stderr.text, attempt.join(' ')).toMatch(sentence);
    }
    await lives(daemon, 'honest', '10.2.56.1');
  });

  test('are refused on the command line, without a daemon as well', async () => {
    for (const flags of [[], ['--local']]) {
      const env = { HEDDLE_SOCKET: daemon.socket };
      const refused = await heddle([...flags, 'attach', '10.2.56.8/16', '..'], { env });
      expect(refused).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/^heddle: [^\n]+\n$/),
      });
    }
  });

  /** Each run starts a dig: two thousand of them take minutes on a busy machine. */
  const patient = { timeout: count(120_000, 900_000) };

  test(
    'every command ends with a sentence whatever its arguments, and the daemon keeps running',
    patient,
    async () => {
      const commands = HOST_COMMANDS.map(({ name }) => name).filter(
        (name) => !['reset', 'gc'].includes(name),
      );
      const hostile = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(
          '',
          '/',
          '.',
          '..',
          '/../',
          '-',
          '--',
          '--format',
          '-h',
          '10.2.56.0/16',
          'net:default',
        ),
        fc.constantFrom('\0', '\r\n', '\u001b]0;x\u0007', '\u202e', 'é'.repeat(100), 'x'.repeat(65_536)),
        fc.string({ unit: fc.constantFrom(...'./-_:%?#@&=é\0\n\u001b a0') }),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...commands),
          fc.array(hostile, { maxLength: 4 }),
          async (command, args) => {
            const [stdout, stderr] = [collect(), collect()];
            const status = await runInDaemon(daemon.socket, [command, ...args], { stdout, stderr });
            expect(status).toBeLessThanOrEqual(4);
            expect(stderr.text).not.toMatch(notMentioned);
            await lives(daemon, 'honest', '10.2.56.1');
          },
        ),
        { numRuns: count(60, 2000) },
      );
      expect(countOfLines(daemon, /^unexpected failure/)).toBe(0);
      expect(honest.id).not.toBe('');
    },
  );

  test('the daemon keeps running whatever arrives at its socket', async () => {
    for (const bytes of [
      '\0'.repeat(100_000),
      'POST /word HTTP/1.1\r\n',
      `GET /${'x'.repeat(200_000)}`,
      '{"argv":',
    ]) {
      const socket = createConnection(daemon.socket).on('error', () => {});
      await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
      await lives(daemon, 'honest', '10.2.56.1');
      socket.destroy();
    }
  });
});

describe('a state folder', () => {
  afterEach(() => clearWorld());

  const TROUBLES: readonly (readonly [
    string,
    (folder: string) => Promise<unknown>,
    (folder: string) => Promise<unknown>,
  ])[] = [
    [
      'that is full',
      (folder) => runProgram('dd', ['if=/dev/zero', `of=${join(folder, 'filler')}`, 'bs=1k']),
      (folder) => rm(join(folder, 'filler')),
    ],
    [
      'that is read-only',
      (folder) => succeed('mount', ['-o', 'remount,ro', folder]),
      (folder) => succeed('mount', ['-o', 'remount,rw', folder]),
    ],
  ];

  test.each(TROUBLES)('%s costs no name, no registration and no attachment', async (_, begin, end) => {
    await using daemon = await startDaemon();
    const folder = daemon.stateFolder;
    await succeed('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    try {
      const first = await daemon.run(['10.2.56.1/16'], ['-e', 'SERVICE_NAME=first']);
      const second = await runContainer();
      await eventually(() => lives(daemon, 'first', '10.2.56.1'));
      await begin(folder);

      const refused = await daemon.command('attach', '10.2.56.2/16', second.name);
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toMatch(
        /^heddle: cannot write state to \S*: (ENOSPC|EROFS)[^\n]*nothing was changed[^\n]*\n$/,
      );
      expect((await daemon.command('ps', second.name)).stdout).not.toContain('10.2.56.2');
      const named = await daemon.command('dns-add', second.name, '-h', 'nick');
      expect(named).toMatchObject({ status: 1, stderr: expect.stringContaining('cannot write state') });

      await docker('rm', '-f', first.id);
      await eventually(async () => expect(dataOf(await daemon.dig('first.service.consul'))).toEqual([]));
      // Attached by its label; the refused address is free.
      await using third = await runContainer([
        '--label',
        'heddle.cidr=10.2.56.2/16',
        '-e',
        'SERVICE_NAME=third',
      ]);
      await eventually(() => lives(daemon, 'third', '10.2.56.2'));
      expect(countOfLines(daemon, /^cannot write state/)).toBe(1);
      expect(countOfLines(daemon, /^unexpected failure/)).toBe(0);

      await end(folder);
      const state = async () => JSON.parse(await readFile(join(folder, 'state.json'), 'utf8'));
      await eventually(async () => expect((await state()).claims).toEqual({ [third.id]: ['10.2.56.2/16'] }), {
        within: 35_000,
      });
      await eventually(() => expect(countOfLines(daemon, /^the state is written again/)).toBe(1));
      expect((await daemon.command('attach', '10.2.56.3/16', second.name)).status).toBe(0);
      await daemon.restart();
      await eventually(() => lives(daemon, 'third', '10.2.56.2'));
    } finally {
      await daemon.stop();
      await succeed('umount', [folder]);
    }
  });
});

test('the path of an ordinary file as --socket is refused, and the file stays', async () => {
  await using daemon = await startDaemon();
  const file = join(daemon.stateFolder, 'precious');
  await writeFile(file, 'precious');
  const refused = await heddle([
    'daemon',
    '--socket',
    file,
    '--state-dir',
    join(daemon.stateFolder, 'other'),
  ]);
  expect(refused).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(`${file} is no control socket`),
  });
  expect(existsSync(file)).toBe(true);
  expect(await readFile(file, 'utf8')).toBe('precious');
});

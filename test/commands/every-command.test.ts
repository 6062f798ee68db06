import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.ts';
import { HOST_COMMANDS } from '../../src/cli/program.ts';
import { RUN_EXAMPLES } from '../../src/commands/syntax/help-texts.ts';
import { collect } from '../../src/runtime/io.ts';
import { count } from '../support/counts.ts';
import { shellWords } from '../support/shell-words.ts';

const CALLER_COMMANDS = ['daemon', 'launch', 'stop', 'run', 'setup', 'version', 'help'];
const MANY_HOSTS_COMMANDS = ['connect', 'forget', 'rmpeer'];
const COMMANDS = [...HOST_COMMANDS.map(({ name }) => name), ...CALLER_COMMANDS];

/** Neither a daemon nor an engine answers: a command with valid arguments ends with 4. */
const NOWHERE = { DOCKER_HOST: 'unix:///nowhere/docker.sock', HEDDLE_SOCKET: '/nowhere/heddle.sock' };

async function heddle(...args: readonly string[]) {
  const [stdout, stderr] = [collect(), collect()];
  const status = await run(args, { stdout, stderr }, NOWHERE);
  return { status, stdout: stdout.text, stderr: stderr.text };
}

const ONE_SENTENCE = /^heddle: [^\n]+\n$/;

describe.each(COMMANDS)('%s', (name) => {
  it('has its own help, with named arguments in the usage and a description for each', async () => {
    const help = await heddle('help', name);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(new RegExp(`^Usage: heddle ${name} `));
    expect(help.stdout).not.toMatch(/^Usage: .*(words|\[arguments\.\.\.\])/);
    const usage = help.stdout.split('\n')[0] ?? '';
    const [, listed = ''] = /^Arguments:\n([\s\S]*?)\n\n/m.exec(help.stdout) ?? [];
    for (const line of listed.split('\n').filter((text) => /^ {2}\S/.test(text))) {
      const [, argument = '', about = ''] = /^ {2}(\S.*?)(?: {2,}(\S.*))?$/.exec(line) ?? [];
      expect(usage, argument).toContain(argument);
      expect(about, argument).not.toBe('');
    }
    if (name === 'help') return;
    expect(await heddle(name, '--help')).toEqual(help);
  });

  it('refuses an unknown flag', async () => {
    // docker itself reports its unknown flags.
    const isDockers = name === 'run' || name === 'dns-args';
    const refused = await heddle(name, '--nosuch', ...(isDockers ? ['x', 'image'] : []));
    expect(refused).toMatchObject({ status: isDockers ? 4 : 2, stdout: '' });
    expect(refused.stderr).toMatch(ONE_SENTENCE);
  });

  it('ends with a failure status and one sentence for any hostile arguments', async () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        '-',
        '/',
        '..',
        '../../etc/passwd',
        '\u0000',
        '\u001b[2J',
        '\u009b1m',
        '\u202eweb',
      ),
      fc.constantFrom(
        '10.2.1.1/16',
        '10.2.1.300/16',
        'net:',
        'ip:',
        'net:default',
        '-h',
        '-f',
        '{{',
        '{{.x}}',
        '%00',
      ),
      fc.constantFrom(
        'web',
        'web db',
        'ü',
        '$(id)',
        'a'.repeat(65_536),
        '--format',
        '--format=yaml',
        '--socket',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    // These run without a daemon or an engine, or are the daemon. Arguments behind `--` are not flags.
    const ours = new Set(['version', 'help', 'create-bridge', 'daemon']);
    if (ours.has(name)) return expect(await heddle(name, '--', 'a', 'b', 'c')).toMatchObject({ status: 2 });
    // Without a daemon, these print what this process sees.
    const observes = HOST_COMMANDS.some((command) => command.name === name && command.observesWithoutDaemon);
    const property = fc.asyncProperty(fc.array(hostile, { maxLength: 3 }), async (args) => {
      if (args.some((arg) => ['--help', '-h', '--local', '--config'].includes(arg))) return;
      const { status, stdout, stderr } = await heddle(name, ...args);
      expect(observes ? [0, 1, 2, 3, 4] : [1, 2, 3, 4], stderr).toContain(status);
      if (!observes) expect(stdout).toBe('');
      if (status !== 0 && stdout === '') expect(stderr).toMatch(/^heddle: /);
      expect(stderr).not.toMatch(/unexpected failure|^\s+at /m);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test asserts that there are none
      expect(stderr.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    });
    await fc.assert(property, { numRuns: count(8, 200) });
  }, 240_000);
});

/** Every place of the command line that names a container, with the arguments around it. */
const NAMING: readonly (readonly [string, (name: string) => readonly string[]])[] = [
  ...['start', 'restart', 'attach', 'detach', 'ps', 'services', 'explain', 'dns-add', 'dns-remove'].map(
    (name) => [name, (container: string) => [name, container]] as const,
  ),
  ...['start', 'attach', 'detach'].map(
    (name) => [`${name} with an address`, (container: string) => [name, '10.2.1.1/16', container]] as const,
  ),
  ['dns-add -h', (container) => ['dns-add', '10.2.1.1', container, '-h', 'front']],
  ['dns-remove -h', (container) => ['dns-remove', '10.2.1.1', container, '-h', 'front']],
  ['ps, the second', (container) => ['ps', 'web', container]],
  ['services --dry-run', (container) => ['services', '--dry-run', 'web', container]],
  ['run --name', (container) => ['run', '--name', container, 'image']],
  ['run --name=', (container) => ['run', `--name=${container}`, 'image']],
  ['stop --container-name', (container) => ['--container-name', container, 'stop']],
  ['launch --container-name', (container) => ['--container-name', container, 'launch']],
];

describe.each(NAMING)('%s', (_, argsWith) => {
  it.each(['web', '/web', 'Web_1.x-y', 'c0ffee'])('takes a container %j', async (container) => {
    expect(await heddle(...argsWith(container))).toMatchObject({ status: 4 });
  });

  it.each([
    ...[
      '',
      '/',
      '//web',
      'web/',
      '/web/x',
      '..',
      '../web',
      '/..',
      'web db',
      'we\tb',
      '\u0000',
      '\u001b[2J',
      '\u009b',
    ],
    ...['\u202eweb', '%2e%2e', 'web?x', 'web#', '\\web', '$(id)', 'a name of 64 KiB'],
  ])('refuses %j before it contacts anything', async (text) => {
    const container = text === 'a name of 64 KiB' ? 'a'.repeat(65_536) : text;
    const { status, stdout, stderr } = await heddle(...argsWith(container));
    const isName = container === '%2e%2e' || /[?#$\\]/.test(container);
    // explain accepts every name that DNS allows.
    expect({ status, stdout }).toEqual({
      status: isName && argsWith('x')[0] === 'explain' ? 4 : 2,
      stdout: '',
    });
    expect(stderr).toMatch(ONE_SENTENCE);
    expect(stderr.length).toBeLessThan(1_000);
  });
});

const CONTROLS = [
  '\t',
  '\n',
  '\r',
  '\b',
  '\u0000',
  '\u001b[2J',
  '\u007f',
  '\u009b1m',
  '\u202e',
  '\u2028',
  '\u200b',
];

describe.each(CONTROLS)('a control character, %j, anywhere among the arguments', (control) => {
  const hostile = `a${control}b`;
  const places: readonly (readonly [string, readonly string[]])[] = [
    ['for the command', [hostile]],
    ['for an option of heddle', [`--${hostile}`, 'ps']],
    ['for the value of an option', ['--log-level', hostile, 'ps']],
    ['for the file of settings', ['--config', hostile, 'ps']],
    ['for the command of help', ['help', hostile]],
    ['behind help', ['help', 'ps', hostile]],
    ...HOST_COMMANDS.filter(
      ({ takesDockerArguments, observesWithoutDaemon }) => !takesDockerArguments && !observesWithoutDaemon,
    ).flatMap(({ name }) => [
      [`for an option of ${name}`, [name, `--${hostile}`]] as const,
      [`for the format of ${name}`, [name, '--format', hostile]] as const,
      [`for too many arguments of ${name}`, [name, hostile, hostile, control]] as const,
    ]),
    ...['version', 'setup', 'stop'].map((name) => [`for an argument of ${name}`, [name, control]] as const),
    ['for an argument of launch', ['launch', hostile]],
    ['for an option of launch', ['launch', `--${hostile}`]],
    ['for an option of the daemon', ['daemon', `--${hostile}`]],
    ['for a peer', ['connect', hostile]],
  ];
  it.each(places)('%s, is not printed', async (_, args) => {
    const { status, stdout, stderr } = await heddle(...args);
    expect([1, 2, 3, 4]).toContain(status);
    expect(stdout).toBe('');
    expect(stderr).toMatch(ONE_SENTENCE);
    expect(stderr.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
  });
});

it.each(MANY_HOSTS_COMMANDS)('%s reports that it is not supported', async (name) => {
  expect(await heddle(name, 'host')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(ONE_SENTENCE),
  });
});

const examples = [...HOST_COMMANDS.flatMap(({ examples: lines = [] }) => lines), ...RUN_EXAMPLES];

it.each(examples)('the example in the help is valid: %s', async (line) => {
  expect(await heddle(...shellWords(line))).toMatchObject({ status: 4, stdout: '' });
});

it('the help lists every visible command with a summary', async () => {
  const { stdout } = await heddle();
  for (const { name, hidden } of HOST_COMMANDS) {
    if (hidden) expect(stdout).not.toMatch(new RegExp(`^ {2}${name} `, 'm'));
    else expect(stdout).toMatch(new RegExp(`^ {2}${name} .*  \\S`, 'm'));
  }
});

it('the help of every command that takes arguments has examples', async () => {
  const listed = (await heddle()).stdout.split('Commands:')[1] ?? '';
  const names = Array.from(listed.matchAll(/^ {2}([a-z]\S*)/gm), ([, name = '']) => name);
  const without: string[] = [];
  for (const name of names) {
    if (!(await heddle(name, '--help')).stdout.includes('\nExamples:\n  heddle ')) without.push(name);
  }
  expect(without).toEqual([
    ...['help', 'stop', 'create-bridge', 'settings', 'doctor', 'healthcheck', 'docker-bridge-ip'],
    ...['reset', 'version'],
  ]);
});

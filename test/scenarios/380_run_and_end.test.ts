import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { containerIds, docker, ethwe, removeContainers } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { scenario } from '../support/scenario.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder?.[Symbol.asyncDispose]());
const { daemon } = scenario();

const sleeper = ['--init', 'busybox', 'sleep', '3600'];
const isAttached = async (id: string) => (await ethwe(id).catch(() => '')) !== '';

test.each([
  ['behind --name', ['--name', 'm1', '10.2.1.3/16']],
  ['behind -it', ['-it', '10.2.1.3/16', '--name', 'm1']],
  ['between docker’s options', ['--name', 'm1', '10.2.1.3/16', '-e', 'A=10.9.9.9/16']],
])('run takes an address %s', async (_, args) => {
  const { status, stdout, stderr } = await daemon.command('run', ...args, ...sleeper);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(await ethwe(stdout.trim())).toContain('inet 10.2.1.3/16');
  expect(await docker('inspect', '-f', '{{.Name}} {{.Config.Image}}', stdout.trim())).toBe('/m1 busybox');
});

test('run takes --with-dns behind docker’s options', async () => {
  const { stdout } = await daemon.command('run', '--name', 'm1', '--with-dns', '10.2.1.3/16', ...sleeper);
  const [, address] = (await daemon.command('dns-args')).stdout.split(' ');
  expect(await docker('exec', stdout.trim(), 'cat', '/etc/resolv.conf')).toContain(`nameserver ${address}`);
});

test.each([
  ['a misspelt flag of ours', ['--with-dsn', 'nosuch-image'], /did you mean '--with-dns'/],
  [
    'a bad address behind docker’s options',
    ['--name', 'm1', '10.2.1.300/16', 'nosuch-image'],
    /10\.2\.1\.300/,
  ],
  ['a bad WEAVE_CIDR', ['-e', 'WEAVE_CIDR=10.2.1.300/16', 'nosuch-image'], /WEAVE_CIDR: .*10\.2\.1\.300/],
])('%s is refused before Docker looks for the image', async (_, args, why) => {
  expect(await daemon.command('run', ...args)).toEqual({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(why),
  });
  expect(await containerIds()).toEqual([]);
});

test('run assigns the addresses in WEAVE_CIDR or heddle.cidr of docker’s options, and no others', async () => {
  const file = join(folder.path, 'env');
  await writeFile(file, 'WEAVE_CIDR=10.2.1.6/16\n');
  for (const [flags, address] of [
    [['-e', 'WEAVE_CIDR=10.2.1.4/16'], '10.2.1.4/16'],
    [['--env=WEAVE_CIDR=10.2.1.5/16 10.3.1.5/24'], '10.2.1.5/16 10.3.1.5/24'],
    [['--env-file', file], '10.2.1.6/16'],
    [['--label', 'heddle.cidr=10.2.1.7/16'], '10.2.1.7/16'],
  ] as const) {
    const { status, stdout, stderr } = await daemon.command('run', ...flags, ...sleeper);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const found = Array.from((await ethwe(stdout.trim())).matchAll(/ inet (\S+)/g), ([, cidr]) => cidr);
    expect(found.join(' ')).toBe(address);
  }
});

test('run with WEAVE_CIDR=none attaches nothing, then and later', async () => {
  const { status, stdout } = await daemon.command('run', '-e', 'WEAVE_CIDR=none', ...sleeper);
  expect(status).toBe(0);
  const id = stdout.trim();
  await eventually(async () => expect((await daemon.command('ps')).stdout).toContain(id.slice(0, 12)));
  expect(await isAttached(id)).toBe(false);
});

test('the container of a program that fails at once is kept, and run shows its status and the end of its log', async () => {
  // This container cannot be attached: it has ended when docker run returns.
  const ends = ['--name', 'm1', 'busybox', 'sh', '-c', 'echo no configuration >&2; exit 3'];
  await eventually(async () => {
    await removeContainers();
    const { status, stdout, stderr } = await daemon.command('run', '10.2.1.3/16', ...ends);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toMatch(/^heddle: m1 ended with status 3 .*docker logs m1.*\n {2}no configuration\n$/);
  });
  expect(await docker('inspect', '-f', '{{.State.ExitCode}}', 'm1')).toBe('3');
  // If the daemon saw the container run, its address stays reserved for the next start, until the container is removed.
  await docker('rm', 'm1');
  await eventually(async () =>
    expect((await daemon.command('status', 'ipam')).stdout).not.toContain('10.2.1.3'),
  );
});

test.each([
  ['kept', []],
  ['removed by Docker (--rm)', ['--rm']],
])('a short job that succeeds is no failure: %s', async (_, flags) => {
  const { status, stdout } = await daemon.command('run', '10.2.1.3/16', ...flags, 'busybox', 'true');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
  await eventually(async () => expect(await containerIds()).toEqual(flags.length > 0 ? [] : [stdout.trim()]));
});

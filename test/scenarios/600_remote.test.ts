import { afterAll, beforeAll, expect, test } from 'vitest';
import { clearWorld, leftOnHost } from '../support/cleanup.ts';
import { docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, heddle, startDaemon } from '../support/heddle.ts';
import { buildImage } from '../support/image.ts';
import { heddleAsNobody } from '../support/nobody.ts';
import type { Outcome } from '../support/program.ts';
import { type RemoteEngine, startRemoteEngine } from '../support/remote-engine.ts';
import { askMeanwhile } from '../support/unbroken.ts';
import { byHelper } from './remote/by-helper.ts';
import { bySsh } from './remote/by-ssh.ts';
import { withoutHeddle } from './remote/without-heddle.ts';

/** On this host a daemon serves another engine, and must never be asked or touched. */
let here: Daemon;
let there: RemoteEngine;
let image: string;

const own = () => ({ HEDDLE_SOCKET: here.socket, HEDDLE_IMAGE: image });
const env = () => ({ ...there.env, ...own() });
const command = (...args: readonly string[]): Promise<Outcome> => heddle(args, { env: env() });

/** Starts to read events of the engine; the returned function gives those received so far. */
async function eventsFrom(): Promise<() => Promise<readonly { Action: string; id: string }[]>> {
  const since = `${Date.now() / 1000}`;
  return async () => {
    const until = `${Date.now() / 1000}`;
    const line = ['events', '--since', since, '--until', until, '--filter', 'type=container'];
    const said = await there.docker(...line, '--format', '{{json .}}');
    return said.split('\n').map((event) => JSON.parse(event));
  };
}

/** Settings of the first launch; the replacing launch has others. */
const SETTINGS = { CONSUL_HTTP_TOKEN: 'hush-hush', HEDDLE_LOG_LEVEL: 'debug' };
const asVariables = (settings: Readonly<Record<string, string>>) =>
  Object.entries(settings).map(([name, value]) => `${name}=${value}`);
/** Arguments and settings of the daemon's container. */
const given = async () => {
  const shown = await there.docker('inspect', '-f', '{{json .Config}}', 'heddle');
  const { Cmd, Env } = JSON.parse(shown) as { Cmd: readonly string[]; Env: readonly string[] };
  return { args: Cmd, settings: Env.filter((line) => /^(HEDDLE|CONSUL)_/.test(line)).toSorted() };
};

beforeAll(async () => {
  image = await buildImage();
  here = await startDaemon();
  there = await startRemoteEngine();
  await there.load('busybox');
}, 240_000);
afterAll(async () => {
  await there?.[Symbol.asyncDispose]();
  await here?.[Symbol.asyncDispose]();
  await clearWorld();
});

test('without an image there, commands fail, and the error names the image', async () => {
  expect(await command('launch')).toMatchObject({
    status: 3,
    stdout: '',
    stderr: expect.stringContaining(image),
  });
  expect(await command('ps')).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/serves another engine/),
  });
  expect(await command('launch', '--mtu', 'big')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^heddle: --mtu: 'big' is not a whole number\n$/),
  });
  expect(await there.docker('ps', '-aq')).toBe('');
});

test('launch --load brings the image, starts the daemon there and prints its id', async () => {
  const line = ['--trace', 'launch', '--load', '--dns-listen', there.ip];
  const { status, stdout, stderr } = await heddle(line, { env: { ...env(), ...SETTINGS } });
  expect(status, stderr).toBe(0);
  expect(stderr).toMatch(/^\+ GET \/images\/\S+\/get # unix:\/\/\/\S+\n\+ POST \/images\/load$/m);
  expect(stderr).not.toContain('hush');
  expect(
    await there.docker(
      'inspect',
      '-f',
      '{{.Name}} {{.State.Running}} {{.HostConfig.Privileged}}',
      stdout.trim(),
    ),
  ).toBe('/heddle true false');
  const again = await command('--trace', 'launch', '--load');
  expect(again).toMatchObject({ status: 1, stderr: expect.stringMatching(/already runs/) });
  expect(again.stderr, 'the image is read in vain').not.toContain('/images/');
  expect(await there.docker('ps', '-aq', '--no-trunc')).toBe(stdout.trim());
  expect(await docker('ps', '-q')).toBe('');
});

test("version prints the version of the daemon there, not of this host's", async () => {
  const { stdout, status } = await command('version', '--format', 'json');
  expect(status).toBe(0);
  const answers = JSON.parse(stdout) as { version: string; daemon: { version: string; pid: number } | null };
  expect(answers.daemon).toMatchObject({ version: answers.version });
  expect(answers.daemon?.pid).not.toBe(here.pid);
  const env = { ...own(), DOCKER_HOST: 'tcp://127.0.0.1:1' };
  expect(await heddle(['version'], { env })).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^heddle \S+\n$/),
  });
});

test('create-bridge makes the bridge there, and none here', async () => {
  expect(await command('create-bridge')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(await there.run('ip', 'link', 'show', 'weave')).toContain('mtu 1450');
  expect(await leftOnHost()).not.toContain('weave');
});

test('a container run there has its address and its name there, and leaves no trace here', async () => {
  const { status, stdout, stderr } = await command(
    ...[
      'run',
      '--with-dns',
      '10.2.1.1/16',
      '--name',
      'far',
      '-e',
      'SERVICE_NAME=far',
      'busybox',
      'sleep',
      '600',
    ],
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(await there.docker('inspect', '-f', '{{.Name}}', stdout.trim())).toBe('/far');
  const name = 'far.service.dc1.consul';
  await eventually(async () =>
    expect(await there.run('dig', '+short', '@172.17.0.1', name)).toBe('10.2.1.1'),
  );
  expect(await there.docker('exec', 'far', 'nslookup', name)).toContain('Address: 10.2.1.1');
  expect((await command('ps')).stdout).toMatch(/far .*10\.2\.1\.1\/16/);
  expect((await command('status')).stdout).toMatch(/Containers: 2 running/);
  expect((await here.command('ps')).stdout).not.toContain('far');
  expect((await here.dig(name)).status).toBe('NXDOMAIN');
});

test('run --with-dns starts one container, where the script needed three', async () => {
  const heard = await eventsFrom();
  const line = [
    '--with-dns',
    '--no-multicast-route',
    '10.2.1.4/16',
    '--name',
    'one',
    '-e',
    'PASSWORD=hush-hush',
  ];
  const ran = await command('--trace', 'run', ...line, 'busybox', 'sleep', '60');
  expect(ran.status).toBe(0);
  expect(ran.stderr).toContain(
    '+ docker run -d --dns 172.17.0.1 --dns-search=. … --label heddle.cidr=10.2.1.4/16 …\n',
  );
  expect(ran.stderr).not.toContain('hush');
  const events = await heard();
  expect(events.filter(({ Action }) => Action === 'create')).toEqual([
    expect.objectContaining({ id: ran.stdout.trim() }),
  ]);
  const done = events.map(({ Action }) => Action).filter((action) => action.startsWith('exec_create'));
  // Docker's own check of the daemon's health may be among them.
  const commands = done.map((action) => action.replace(/^.*here\.js /, '').trim());
  expect(commands.filter((line) => line !== 'healthcheck')).toEqual([
    'prepare-run --with-dns 10.2.1.4/16',
    `attach --no-multicast-route 10.2.1.4/16 ${ran.stdout.trim()}`,
  ]);
  expect(JSON.stringify(events)).not.toContain('hush');
  expect(await there.docker('exec', 'one', 'ip', 'route')).not.toContain('224.');
  await there.docker('rm', '-f', 'one');
});

test('attach and detach print their results and errors as if they ran here', async () => {
  expect(await command('attach', '10.2.1.9/16', 'far')).toEqual({
    status: 0,
    stdout: '10.2.1.9\n',
    stderr: '',
  });
  expect(await there.docker('exec', 'far', 'ip', 'address', 'show', 'ethwe')).toContain('10.2.1.9/16');
  expect(await command('detach', '10.2.1.9/16', 'far')).toEqual({
    status: 0,
    stdout: '10.2.1.9\n',
    stderr: '',
  });
  expect(await command('attach', '10.2.1.9/16', 'nobody')).toMatchObject({
    status: 3,
    stdout: '',
    stderr: expect.stringMatching(/'nobody'/),
  });
});

test("without root, this host's daemon is skipped, as its socket is root's", async () => {
  const asNobody = (args: readonly string[], more = {}) =>
    heddleAsNobody(args, { env: { ...env(), ...more } });
  const cidr = '10.2.1.9/16';
  const attached = await asNobody(['attach', cidr, 'far']);
  expect(attached).toEqual({ status: 0, stdout: '10.2.1.9\n', stderr: '' });
  expect((await asNobody(['ps'])).stdout).toMatch(/far .*10\.2\.1\.9\/16/);
  expect((await asNobody(['detach', cidr, 'far'])).status).toBe(0);
  const nowhere = await asNobody(['ps'], { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
  expect(nowhere).toMatchObject({ status: 1, stderr: expect.stringMatching(/is for root/) });
});

test('--trace prints the calls to the Docker API, and only those', async () => {
  const { stdout, stderr } = await command('--trace', 'dns-args');
  expect(stdout).toBe('--dns 172.17.0.1 --dns-search=.\n');
  expect(stderr.split('\n')).toEqual(
    expect.arrayContaining([
      '+ GET /version',
      '+ GET /info',
      '+ GET /containers/heddle/json',
      expect.stringMatching(/^\+ POST \/containers\/[0-9a-f]{64}\/exec$/),
    ]),
  );
  expect(stderr).toMatch(/^(\+ [A-Z]+ \/\S+\n)+$/);
});

test('launch --replace replaces the old daemon by a new one, and every address and name stays', async () => {
  const idOf = () => there.docker('inspect', '-f', '{{.Id}}', 'heddle');
  const look = 'ip -o address show ethwe | grep -q 10.2.1.1/16 || echo gone; usleep 10000';
  const address = there.docker('exec', 'far', 'sh', '-c', `while [ ! -e /end ]; do ${look}; done`);
  const asked = { server: there.ip, name: 'far.service.dc1.consul', address: '10.2.1.1' };
  const gaps: number[] = [];
  const listen = ['--dns-listen', there.ip];
  const args = ['daemon', '--take-over', ...listen];
  const rounds = [
    { flags: [], has: { args, settings: asVariables(SETTINGS) } },
    { flags: listen, has: { args, settings: [] } },
  ];
  for (const { flags, has } of rounds) {
    const before = await idOf();
    let replaced: Outcome | undefined;
    const unbroken = await askMeanwhile(asked, async () => {
      replaced = await command('launch', '--replace', ...flags);
    });
    expect(await given()).toEqual(has);
    const id = await idOf();
    expect(replaced).toEqual({ status: 0, stdout: `${id}\n`, stderr: '' });
    expect(id).not.toBe(before);
    expect(unbroken).toMatchObject({ wrong: 0 });
    expect(unbroken.right).toBeGreaterThan(10);
    gaps.push(unbroken.longestGap);
  }
  console.log(`launch --replace: a name went unanswered for ${gaps.join(', ')} ms at most`);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1000);
  await there.docker('exec', 'far', 'touch', '/end');
  expect(await address).toBe('');
  expect(await there.docker('inspect', '-f', '{{.HostConfig.RestartPolicy.Name}}', 'heddle')).toBe(
    'unless-stopped',
  );
  expect(await there.run('dig', '+short', '@172.17.0.1', 'far.service.dc1.consul')).toBe('10.2.1.1');
  expect(await there.docker('exec', 'far', 'ip', 'address', 'show', 'ethwe')).toContain('10.2.1.1/16');
});

test('a replacement that does not start is undone, and the old daemon keeps running', async () => {
  const before = await there.docker('inspect', '-f', '{{.Id}}', 'heddle');
  // The daemon waits for a missing address, but ends when its state folder is a file.
  const env = {
    ...there.env,
    HEDDLE_SOCKET: here.socket,
    HEDDLE_IMAGE: image,
    CONSUL_HTTP_TOKEN: 'hush-hush',
  };
  const line = ['--trace', 'launch', '--replace', '--state-dir', '/etc/hosts/state'];
  const { status, stderr } = await heddle(line, { env });
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/^\+ POST \/containers\/create$/m);
  expect(stderr).not.toContain('hush');
  expect(stderr).toMatch(/did not start: .*cannot write state/);
  expect(await there.docker('ps', '-a', '--format', '{{.Names}}')).toBe('heddle\nfar');
  expect(await there.docker('inspect', '-f', '{{.Id}} {{.State.Running}}', 'heddle')).toBe(`${before} true`);
});

bySsh(() => ({ there, env: own() }));

test('an interrupted replacement is finished by the next launch', async () => {
  const id = await there.docker('inspect', '-f', '{{.Id}}', 'heddle');
  await there.docker('rename', 'heddle', 'heddle-new');
  await there.docker('create', '--name', 'heddle', image);
  const restarted = '{{.HostConfig.RestartPolicy.Name}}';
  const finished = async () => {
    expect(await command('launch')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/already runs/),
    });
    const names = ['--format', '{{.ID}} {{.Names}}', '--filter', 'name=heddle'];
    expect(await there.docker('ps', '-a', '--no-trunc', ...names)).toBe(`${id} heddle`);
    expect(await there.docker('inspect', '-f', restarted, id)).toBe('unless-stopped');
  };
  await finished();
  // As before the start of the new daemon: the old one would have ended by itself.
  await there.docker('update', '--restart', 'no', 'heddle');
  await there.docker('create', '--name', 'heddle-new', image);
  await finished();
});

test('Docker restarts the daemon after a crash', async () => {
  const state = (what: string) => there.docker('inspect', '-f', `{{${what}}}`, 'heddle');
  await there.run('kill', '-9', await state('.State.Pid'));
  await eventually(async () => expect(await state('.RestartCount')).toBe('1'), { within: 20_000 });
  await eventually(async () => expect((await command('ps')).stdout).toMatch(/far .*10\.2\.1\.1/), {
    within: 20_000,
  });
});

test('stop stops the daemon, and a second stop prints a note; then a helper container runs the command', async () => {
  expect(await command('stop')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(await command('stop')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/no container 'heddle' is running/),
  });
  const attached = await command('attach', '--no-multicast-route', '--rewrite-hosts', '10.2.1.8/16', 'far');
  expect(attached).toEqual({ status: 0, stdout: '10.2.1.8\n', stderr: '' });
  expect(await there.docker('exec', 'far', 'ip', 'address', 'show', 'ethwe')).toContain('10.2.1.8/16');
  expect(await there.docker('exec', 'far', 'ip', 'route')).not.toContain('224.');
  expect(await there.docker('exec', 'far', 'cat', '/etc/hosts')).toContain('\n10.2.1.8 ');
  expect(await there.docker('ps', '-a', '--format', '{{.Names}}')).toBe('heddle\nfar');
  const heard = await eventsFrom();
  const line = ['run', '--with-dns', '10.2.1.7/16', '--name', 'two', 'busybox', 'sleep', '60'];
  expect(await command(...line)).toMatchObject({ status: 0, stderr: '' });
  const created = (await heard()).filter(({ Action }) => Action === 'create');
  expect(created, 'one before it, and one after it').toHaveLength(3);
  await there.docker('rm', '-f', 'two');
});

byHelper(() => ({ there, env: own() }));

test('the daemon on this host has received no request', async () => {
  const status = JSON.parse((await here.command('status', '--format', 'json')).stdout);
  expect(status).toMatchObject({
    daemon: { pid: here.pid },
    containers: { running: 0 },
    ipam: { owners: [] },
  });
  expect(await leftOnHost()).toEqual([]);
});

withoutHeddle(() => ({ there, image }));

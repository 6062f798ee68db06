import { afterAll, beforeAll, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, heddle, startDaemon } from '../support/heddle.ts';
import { buildImage } from '../support/image.ts';
import { type Outcome, succeed } from '../support/program.ts';
import { type RemoteEngine, startRemoteEngine } from '../support/remote-engine.ts';

/** On this host a daemon serves another engine, and must never be asked or touched. */
let here: Daemon;
let there: RemoteEngine;
let image: string;

const word = (...args: readonly string[]): Promise<Outcome> =>
  heddle(args, { env: { ...there.env, HEDDLE_SOCKET: here.socket, HEDDLE_IMAGE: image } });

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

test('without an image there, nothing can be done, and it says what is missing', async () => {
  expect(await word('launch')).toMatchObject({
    status: 3,
    stdout: '',
    stderr: expect.stringContaining(image),
  });
  expect(await word('ps')).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/serves another engine/),
  });
  expect(await word('launch', '--mtu', 'big')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^heddle: --mtu: 'big' is not a whole number\n$/),
  });
  expect(await there.docker('ps', '-aq')).toBe('');
});

test('launch --load brings the image, starts the daemon there and prints its id', async () => {
  const { status, stdout, stderr } = await word('launch', '--load', '--log-format', 'json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(
    await there.docker(
      'inspect',
      '-f',
      '{{.Name}} {{.State.Running}} {{.HostConfig.Privileged}}',
      stdout.trim(),
    ),
  ).toBe('/heddle true false');
  expect(await word('launch')).toMatchObject({ status: 1, stderr: expect.stringMatching(/runs already/) });
  expect(await docker('ps', '-q')).toBe('');
});

test('a container run there has its address and its name there, and nothing of it is here', async () => {
  const { status, stdout, stderr } = await word(
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
  expect((await word('ps')).stdout).toMatch(/far .*10\.2\.1\.1\/16/);
  expect((await word('status')).stdout).toMatch(/Containers: 2 running/);
  expect((await here.word('ps')).stdout).not.toContain('far');
  expect((await here.dig(name)).status).toBe('NXDOMAIN');
});

test('attach, detach and their complaints come back as if they had been here', async () => {
  expect(await word('attach', '10.2.1.9/16', 'far')).toEqual({ status: 0, stdout: '10.2.1.9\n', stderr: '' });
  expect(await there.docker('exec', 'far', 'ip', 'address', 'show', 'ethwe')).toContain('10.2.1.9/16');
  expect(await word('detach', '10.2.1.9/16', 'far')).toEqual({ status: 0, stdout: '10.2.1.9\n', stderr: '' });
  expect(await word('attach', '10.2.1.9/16', 'nobody')).toMatchObject({
    status: 3,
    stdout: '',
    stderr: expect.stringMatching(/'nobody'/),
  });
});

test('--trace prints the calls to the Docker API, and only those', async () => {
  const { stdout, stderr } = await word('--trace', 'dns-args');
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

test('launch --replace puts a new daemon in the place of the old one, and every address and name stays', async () => {
  const before = await there.docker('inspect', '-f', '{{.Id}}', 'heddle');
  const { status, stdout, stderr } = await word('launch', '--replace');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.trim()).not.toBe(before);
  expect(await there.docker('inspect', '-f', '{{.Id}}', 'heddle')).toBe(stdout.trim());
  expect(await there.run('dig', '+short', '@172.17.0.1', 'far.service.dc1.consul')).toBe('10.2.1.1');
  expect(await there.docker('exec', 'far', 'ip', 'address', 'show', 'ethwe')).toContain('10.2.1.1/16');
});

test('a replacement that does not come up is taken back, and the old daemon goes on', async () => {
  const before = await there.docker('inspect', '-f', '{{.Id}}', 'heddle');
  // An address that no interface has is waited for; a state folder that is a file is not.
  const { status, stderr } = await word('launch', '--replace', '--state-dir', '/etc/hosts/state');
  expect(status).toBe(1);
  expect(stderr).toMatch(/did not come up: .*cannot keep state/);
  expect(await there.docker('ps', '-a', '--format', '{{.Names}}')).toBe('heddle\nfar');
  expect(await there.docker('inspect', '-f', '{{.Id}} {{.State.Running}}', 'heddle')).toBe(`${before} true`);
});

test('stop stops it, and what is stopped already is a note; then a helper container does a word', async () => {
  expect(await word('stop')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(await word('stop')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/no container 'heddle' is running/),
  });
  expect(await word('attach', '10.2.1.8/16', 'far')).toEqual({ status: 0, stdout: '10.2.1.8\n', stderr: '' });
  expect(await there.docker('exec', 'far', 'ip', 'address', 'show', 'ethwe')).toContain('10.2.1.8/16');
  expect(await there.docker('ps', '-a', '--format', '{{.Names}}')).toBe('heddle\nfar');
});

test('an attach is done with nothing but curl on the Docker API', async () => {
  const api = `http://${there.ip}:2375`;
  const create = {
    Image: image,
    Cmd: ['--local', 'attach', '10.2.1.7/16', 'far'],
    Env: ['PROCFS=/hostproc'],
    HostConfig: {
      NetworkMode: 'host',
      CapDrop: ['ALL'],
      CapAdd: ['NET_ADMIN', 'SYS_ADMIN', 'SYS_PTRACE', 'NET_BROADCAST'],
      Binds: ['/var/run/docker.sock:/var/run/docker.sock', '/proc:/hostproc:ro'],
    },
  };
  const curl = (...args: readonly string[]) => succeed('curl', ['-s', '--fail', ...args]);
  const json = ['-H', 'content-type: application/json', '-d', JSON.stringify(create)];
  const { Id: id } = JSON.parse(await curl(...json, `${api}/containers/create`)) as { Id: string };
  await curl('-X', 'POST', `${api}/containers/${id}/start`);
  expect(JSON.parse(await curl('-X', 'POST', `${api}/containers/${id}/wait`))).toMatchObject({
    StatusCode: 0,
  });
  await curl('-X', 'DELETE', `${api}/containers/${id}`);
  expect(await there.docker('exec', 'far', 'ip', 'address', 'show', 'ethwe')).toContain('10.2.1.7/16');
});

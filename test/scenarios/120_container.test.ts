import { mkdir, stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { dataOf, dig } from '../support/dig.ts';
import { docker, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { heddle } from '../support/heddle.ts';
import { buildImage } from '../support/image.ts';
import { heddleAsNobody } from '../support/nobody.ts';

/** The capabilities that the daemon needs, and no others: never --privileged. */
const CAPABILITIES = ['NET_ADMIN', 'SYS_ADMIN', 'SYS_PTRACE', 'NET_BROADCAST', 'NET_BIND_SERVICE', 'NET_RAW'];

let image: string;
let state: TemporaryFolder;

beforeAll(async () => {
  image = await buildImage();
  state = await temporaryFolder();
  await mkdir('/run/heddle', { recursive: true });
  await docker(
    ...['run', '-d', '--name', 'heddle', '--net=host', '--cap-drop=ALL'],
    ...CAPABILITIES.map((capability) => `--cap-add=${capability}`),
    ...['--security-opt', 'no-new-privileges', '--read-only'],
    // The image's HEALTHCHECK runs every half minute.
    '--health-interval=3s',
    ...[
      '-v',
      '/var/run/docker.sock:/var/run/docker.sock',
      '-v',
      '/proc:/hostproc:ro',
      '-e',
      'PROCFS=/hostproc',
    ],
    ...['-v', `${state.path}:/var/lib/heddle`, '-v', '/run/heddle:/run/heddle'],
    ...[image, '--log-format=json', '--dns-listen=127.0.0.1:5353'],
  );
  await eventually(async () => expect(await docker('logs', 'heddle')).toContain('"msg":"ready"'), {
    within: 20_000,
  });
}, 240_000);

afterAll(async () => {
  await clearWorld();
  await state?.[Symbol.asyncDispose]();
});

const ask = (name: string, type = 'A') => dig(`${name}.service.dc1.consul`, { type, port: 5353 });

test('the daemon in its container attaches, registers and answers as on the host', async () => {
  await using web = await runContainer([
    ...['--label', 'heddle.cidr=10.2.1.1/16', '-e', 'SERVICE_NAME=web', '--expose', '80'],
  ]);
  await using _app = await runContainer([
    ...['--label', 'heddle.cidr=10.2.1.3/16', '-e', 'MARATHON_APP_ID=/web/customer1/site1'],
  ]);
  await eventually(async () => expect(dataOf(await ask('web'))).toEqual(['10.2.1.1', '10.2.1.3']));
  await eventually(async () => expect(dataOf(await ask('site1.customer1.web'))).toEqual(['10.2.1.3']));
  const srv = await ask('web', 'SRV');
  expect(dataOf(srv)).toContain('1 1 80 0a020101.addr.dc1.consul.');
  expect(await web.exec('ip', 'address', 'show', 'ethwe')).toContain('inet 10.2.1.1/16');
  await web.kill();
  await eventually(async () => expect(dataOf(await ask('web'))).toEqual(['10.2.1.3']));
});

test('neither the daemon nor another container of its image is registered', async () => {
  await using _web = await runContainer(['-e', 'SERVICE_NAME=web']);
  const idle = await docker('run', '-d', '--name', 'idle', '--entrypoint', 'sleep', image, '60');
  await eventually(async () => {
    expect((await heddle(['ps', 'idle'])).stdout).toContain(idle.slice(0, 12));
    const { stdout } = await heddle(['services', '--format', 'json']);
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'web' }]);
  });
  const { stdout } = await heddle(['ps']);
  expect(stdout.match(/not announced: heddle itself$/gm)).toHaveLength(2);
  expect((await heddle(['status'])).stdout).toContain('Containers: 3 running, 1 announced');
  await docker('rm', '-f', idle);
});

test('commands on the host reach it by its socket, or through Docker when there is no socket', async () => {
  await using web = await runContainer(['-e', 'SERVICE_NAME=late']);
  const bySocket = await heddle(['attach', '10.2.1.5/16', web.name]);
  expect(bySocket).toEqual({ status: 0, stdout: '10.2.1.5\n', stderr: '' });
  await eventually(async () => expect(dataOf(await ask('late'))).toEqual(['10.2.1.5']));
  const noSocket = { env: { HEDDLE_SOCKET: '/nowhere/heddle.sock' } };
  const rewritten = await heddle(['attach', '--rewrite-hosts', '10.2.1.5/16', web.name], noSocket);
  expect(rewritten).toEqual({ status: 0, stdout: '10.2.1.5\n', stderr: '' });
  expect(await web.exec('sh', '-c', 'hostname -i')).toBe('10.2.1.5');
  const throughDocker = await heddle(['detach', '10.2.1.5/16', web.name], noSocket);
  expect(throughDocker).toMatchObject({ status: 0, stderr: '' });
  expect((await heddle(['attach', '10.2.1.5/16', 'nosuch'], noSocket)).status).toBe(3);
});

test('a user who may use Docker reaches it through Docker, although its socket is for root', async () => {
  await using web = await runContainer();
  const { gid: group } = await stat('/var/run/docker.sock');
  const attached = await heddleAsNobody(['attach', '10.2.1.5/16', web.name], { group });
  expect(attached).toEqual({ status: 0, stdout: '10.2.1.5\n', stderr: '' });
  expect(await heddleAsNobody(['ps'], { group: 65_534 })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/is for root/),
  });
});

test('containers with an injected resolver ask the daemon in its container', async () => {
  await using _web = await runContainer(['--label', 'heddle.cidr=10.2.1.1/16', '-e', 'SERVICE_NAME=web']);
  const { stdout } = await heddle(['dns-args']);
  await using client = await runContainer(stdout.trim().split(' '));
  await eventually(async () => {
    expect(await client.exec('nslookup', 'web.service.dc1.consul')).toContain('10.2.1.1');
  });
});

test('its image reports that it is healthy, and heddle version prints its version', async () => {
  await eventually(
    async () => expect(await docker('inspect', '-f', '{{.State.Health.Status}}', 'heddle')).toBe('healthy'),
    { within: 60_000 },
  );
  expect((await heddle(['version'])).stdout).toMatch(/^heddle (\S+)\ndaemon \1\n$/);
  expect(await heddle(['healthcheck'])).toEqual({ status: 0, stdout: 'healthy\n', stderr: '' });
});

test('it stops in order at docker stop, and keeps its identity in the state folder', async () => {
  const hostId = async () =>
    (JSON.parse((await heddle(['status', '--format', 'json'])).stdout) as { daemon: { hostId: string } })
      .daemon.hostId;
  const before = await hostId();
  await docker('stop', '--time', '10', 'heddle');
  expect(await docker('inspect', '--format', '{{.State.ExitCode}}', 'heddle')).toBe('0');
  await docker('start', 'heddle');
  await eventually(async () => expect(await hostId()).toBe(before), { within: 20_000 });
});

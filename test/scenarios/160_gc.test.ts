import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle, startDaemon } from '../support/heddle.ts';

afterEach(() => clearWorld());

test('heddle gc removes the leftovers of a lost host, and nothing of its own', async () => {
  await using consul = await startConsul();
  const flags = ['--address', 'internal', '--registry', consul.uri];
  await using gone = await startDaemon(flags);
  const { daemon } = JSON.parse((await gone.command('status', '--format', 'json')).stdout);
  await using _web = await runContainer(['-e', 'SERVICE_NAME=web']);
  const held = async () => Object.values(await consul.services()).map(({ Meta }) => Meta['heddle-host']);
  await eventually(async () => expect(await held()).toEqual([daemon.hostId]));

  const own = await gone.command('gc', '--host', daemon.hostId);
  expect(own).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('is this host, and its heddle runs'),
  });
  expect(await gone.command('gc', '--host', 'web')).toMatchObject({ status: 2 });

  await gone.kill();
  await using here = await startDaemon(flags);
  await eventually(async () => expect(await held()).toHaveLength(2));
  const found = await here.command('gc', '--host', daemon.hostId, '--dry-run');
  expect(found.stdout).toMatch(/heddle-n1 +web +heddle:\S+ +found/);
  expect(await held()).toHaveLength(2);
  const removed = await here.command('gc', '--host', daemon.hostId);
  expect(removed).toMatchObject({
    status: 0,
    stdout: found.stdout.replace('found', 'removed').replace(/ +$/gm, ''),
  });
  expect(await held()).toHaveLength(1);
  expect(await held()).not.toContain(daemon.hostId);
  expect(await here.command('gc', '--host', daemon.hostId)).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('no services of host'),
  });
  expect(await here.command('gc', '--host', daemon.hostId, '--registrator', 'h')).toMatchObject({
    status: 2,
  });
  expect(await here.command('gc')).toMatchObject({ status: 2 });
});

test("heddle gc --registrator removes registrator's leftovers by the form of their ids, and nothing else", async () => {
  await using consul = await startConsul();
  await using daemon = await startDaemon(['--registry', consul.uri, '--ip', '192.0.2.7']);
  await using _web = await runContainer(['-p', '18080:80', '-e', 'SERVICE_NAME=web', '--name', 'web-1']);
  const theirs = ['host1.lan:web-1:80', 'host1.lan:a_b.c:53:udp'];
  const others = [
    ...['host1:web-1:80', 'host1xlan:web-1:80', 'host1.lan:web-1', 'host1.lan:web-1:80:tcp'],
    ...['host1.lan:web-1:http', 'host1.lan:x:web-1:80', 'my-own-id', 'x:host1.lan:web-1:80'],
  ];
  for (const ID of [...theirs, ...others]) {
    await consul.put('/v1/agent/service/register', { ID, Name: 'web', Address: '192.0.2.7', Port: 18080 });
  }
  const marked = { ID: 'host1.lan:marked:80', Name: 'web', Meta: { 'heddle-owner': 'heddle' } };
  await consul.put('/v1/agent/service/register', marked);
  const held = async () => Object.keys(await consul.services()).filter((id) => !id.startsWith('heddle:'));
  await eventually(async () => expect(Object.keys(await consul.services())).toHaveLength(12));

  const found = await daemon.command('gc', '--registrator', 'host1.lan', '--dry-run', '--format', 'json');
  expect(JSON.parse(found.stdout)).toHaveLength(2);
  expect(await held()).toHaveLength(11);
  const { status, stdout } = await daemon.command('gc', '--registrator', 'host1.lan');
  expect(status).toBe(0);
  for (const id of theirs) expect(stdout).toContain(`heddle-n1  web      ${id}`);
  expect((await held()).sort()).toEqual([...others, marked.ID].sort());
  expect(await daemon.command('gc', '--registrator', 'host1.lan')).toMatchObject({ status: 0, stdout: '' });
  expect(await daemon.command('gc', '--registrator', 'a:b')).toMatchObject({ status: 2 });
});

test('without Consul there are no services of other hosts', async () => {
  await using daemon = await startDaemon();
  const { status, stderr } = await daemon.command('gc', '--host', '0123456789ab');
  expect(status).toBe(1);
  expect(stderr).toBe('heddle: the embedded registry holds no services of other owners\n');
});

test('gc explains its purpose', async () => {
  const { status, stdout } = await heddle(['gc', '--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('--dry-run');
});

import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle, startDaemon } from '../support/heddle.ts';

afterEach(() => clearWorld());

test('heddle gc removes what a host that is gone has left, and nothing of its own', async () => {
  await using consul = await startConsul();
  const flags = ['--address', 'internal', '--registry', consul.uri];
  await using gone = await startDaemon(flags);
  const { daemon } = JSON.parse((await gone.word('status', '--format', 'json')).stdout);
  await using _web = await runContainer(['-e', 'SERVICE_NAME=web']);
  const held = async () => Object.values(await consul.services()).map(({ Meta }) => Meta['heddle-host']);
  await eventually(async () => expect(await held()).toEqual([daemon.hostId]));

  const own = await gone.word('gc', '--host', daemon.hostId);
  expect(own).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('is this host, and its heddle runs'),
  });
  expect(await gone.word('gc', '--host', 'web')).toMatchObject({ status: 2 });

  await gone.kill();
  await using here = await startDaemon(flags);
  await eventually(async () => expect(await held()).toHaveLength(2));
  const found = await here.word('gc', '--host', daemon.hostId, '--dry-run');
  expect(found.stdout).toMatch(/heddle-n1 +web +heddle:\S+ +found/);
  expect(await held()).toHaveLength(2);
  const removed = await here.word('gc', '--host', daemon.hostId);
  expect(removed).toMatchObject({
    status: 0,
    stdout: found.stdout.replace('found', 'removed').replace(/ +$/gm, ''),
  });
  expect(await held()).toHaveLength(1);
  expect(await held()).not.toContain(daemon.hostId);
  expect(await here.word('gc', '--host', daemon.hostId)).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('nothing of host'),
  });
});

test('without Consul there is nothing of other hosts', async () => {
  await using daemon = await startDaemon();
  const { status, stderr } = await daemon.word('gc', '--host', '0123456789ab');
  expect(status).toBe(1);
  expect(stderr).toBe('heddle: the embedded registry holds nothing of other hosts\n');
});

test('gc says what it is for', async () => {
  const { status, stdout } = await heddle(['gc', '--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('--dry-run');
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { type ConsulAgent, type HealthEntry, startConsul } from '../support/consul.ts';
import { dataOf } from '../support/dig.ts';
import { type Container, docker, removeContainers, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';
import { visitMeanwhile } from '../support/visitors.ts';

let consul: ConsulAgent;

beforeAll(async () => {
  consul = await startConsul();
});
afterEach(removeContainers);
afterAll(async () => {
  await consul?.stop();
  await clearWorld();
});

const entries = async (name: string) =>
  (await consul.get<HealthEntry[]>(`/v1/health/service/${name}`)).map(({ Service }) => Service);
const addresses = async (name: string) => (await entries(name)).map(({ Address }) => Address).sort();
const isRunning = async (container: Container) => (await container.pid()) > 0;

/** Finishes open requests: it ends two seconds after its stop signal. */
const POLITE = ['sh', '-c', 'trap "sleep 2; exit 0" TERM; while :; do sleep 0.1; done'];
const DEAF = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];

/** A web server with slow answers, which finishes open requests for two seconds after its stop signal. */
const SERVER = [
  'sh',
  '-c',
  String.raw`mkdir -p /www/cgi-bin && cat > /www/cgi-bin/name <<END
#!/bin/sh
sleep 0.2
printf 'Content-Type: text/plain\r\n\r\n'
hostname
END
chmod +x /www/cgi-bin/name
httpd -f -p 80 -h /www &
trap "sleep 2; exit 0" QUIT
wait`,
];

test('clients of a service see no error while one of its containers is stopped, by a signal of its own', async () => {
  await using daemon = await startDaemon(['--address', 'internal']);
  const serve = (hostname: string) =>
    runContainer(
      ['-e', 'SERVICE_NAME=served', '--expose', '80', '--hostname', hostname, '--stop-signal', 'QUIT'],
      SERVER,
    );
  await using ending = await serve('ending');
  await using staying = await serve('staying');
  const name = 'served.service.dc1.consul';
  const answered = async () => dataOf(await daemon.dig(name));
  const both = [await ending.address(), await staying.address()].sort();
  await eventually(async () => expect(await answered()).toEqual(both));
  const asked = { server: `127.0.0.1:${daemon.dnsPort}`, name, path: '/cgi-bin/name' };
  const { answers, errors } = await visitMeanwhile(asked, async (seen) => {
    await eventually(() => expect(new Set(seen)).toEqual(new Set(['ending', 'staying'])));
    const stopping = docker('stop', ending.id);
    await eventually(async () => expect(await answered()).toHaveLength(1), { within: 1500, every: 20 });
    expect(await isRunning(ending)).toBe(true);
    await stopping;
    await sleep(500);
  });
  expect(errors).toEqual([]);
  expect(answers.at(-1)).toBe('staying');
});

test('a container is taken out when its stop begins, before it ends, and is back when it starts', async () => {
  await using daemon = await startDaemon(['--registry', consul.uri]);
  await using polite = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=drained'], POLITE);
  await using _other = await daemon.run(['10.2.1.2/16'], ['-e', 'SERVICE_NAME=drained']);
  await eventually(async () => expect(await addresses('drained')).toEqual(['10.2.1.1', '10.2.1.2']));

  const stopping = docker('stop', polite.id);
  await eventually(async () => expect(await addresses('drained')).toEqual(['10.2.1.2']), { within: 1500 });
  expect(await isRunning(polite)).toBe(true);
  await stopping;
  await docker('start', polite.id);
  await eventually(async () => expect(await addresses('drained')).toContain('10.2.1.1'));
});

test('a container that ignores its stop signal is back after its stop timeout', async () => {
  await using daemon = await startDaemon(['--registry', consul.uri]);
  await using deaf = await daemon.run(
    ['10.2.1.2/16'],
    ['-e', 'SERVICE_NAME=deaf', '--stop-timeout', '2', '--init=false'],
    DEAF,
  );
  await eventually(async () => expect(await addresses('deaf')).toEqual(['10.2.1.2']));
  await docker('kill', '--signal', 'TERM', deaf.id);
  await eventually(async () => expect(await addresses('deaf')).toEqual([]), { within: 1900, every: 20 });
  await eventually(async () => expect(await addresses('deaf')).toEqual(['10.2.1.2']));
  expect(await isRunning(deaf)).toBe(true);
});

test('with --no-drain a container stays registered until it has ended', async () => {
  await using daemon = await startDaemon(['--registry', consul.uri, '--no-drain']);
  await using polite = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=stays'], POLITE);
  await eventually(async () => expect(await addresses('stays')).toEqual(['10.2.1.1']));
  const stopping = docker('stop', polite.id);
  await sleep(1000);
  expect(await addresses('stays')).toEqual(['10.2.1.1']);
  await stopping;
  await eventually(async () => expect(await addresses('stays')).toEqual([]));
});

test('a stop of heddle keeps registrations, or removes them with --on-stop deregister', async () => {
  const daemon: Daemon = await startDaemon(['--registry', consul.uri]);
  await using _web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=kept']);
  await eventually(async () => expect(await addresses('kept')).toEqual(['10.2.1.1']));
  const hostEntry = await entries('kept');
  expect(await daemon.stop()).toBe(0);
  expect(await entries('kept')).toEqual(hostEntry);
  await daemon[Symbol.asyncDispose]();

  await using leaving = await startDaemon(['--registry', consul.uri, '--on-stop', 'deregister']);
  const ours = async () => (await addresses('kept')).length;
  await eventually(async () => expect(await ours()).toBe(2));
  expect(await leaving.stop()).toBe(0);
  // The rest belongs to the first daemon, whose state folder and host-id are gone.
  expect(await entries('kept')).toEqual(hostEntry);
});

test('services of others are never touched, however similar they are', async () => {
  const meta = (host: string) => ({
    'heddle-owner': 'heddle',
    'heddle-host': host,
    'heddle-container': '0123456789ab',
  });
  const other = '11111111-2222-4333-8444-555555555555';
  const foreign = [
    { ID: 'heddle-n1:web-1:80', Name: 'foreign', Address: '10.9.0.1', Port: 80 },
    { ID: `heddle:${other}:0123456789ab:80`, Name: 'foreign', Address: '10.9.0.2', Meta: meta(other) },
    { ID: 'marked-by-nobody', Name: 'foreign', Address: '10.9.0.3', Meta: { 'heddle-owner': 'heddle' } },
    { ID: 'mine', Name: 'foreign', Address: '10.9.0.4' },
  ];
  for (const service of foreign) await consul.put('/v1/agent/service/register', service);
  const theirs = async () => (await entries('foreign')).filter(({ Address }) => Address.startsWith('10.9.'));
  const before = await theirs();
  expect(before).toHaveLength(4);

  const daemon = await startDaemon(['--registry', consul.uri, '--on-stop', 'deregister']);
  const flags = ['-e', 'SERVICE_NAME=foreign', '-e', 'SERVICE_ID=mine'];
  await using ours = await daemon.run(['10.2.1.1/16'], flags);
  await using further = await daemon.run(['10.2.1.2/16'], ['-e', 'SERVICE_NAME=foreign']);
  const own = ['10.2.1.1', '10.2.1.2'];
  await eventually(async () => expect(await addresses('foreign')).toEqual(expect.arrayContaining(own)));
  await further.kill();
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(async () => expect(await addresses('foreign')).not.toContain('10.2.1.2'));
  const warnings = () =>
    daemon.log.filter(({ msg }) => msg.startsWith('SERVICE_ID mine is already registered by another owner'));
  expect(warnings()).toHaveLength(1);
  await daemon.restart();
  const held = async () => (await entries('foreign')).filter(({ Address }) => Address === '10.2.1.1');
  await eventually(async () =>
    expect(await held()).toMatchObject([{ ID: expect.stringMatching(/^heddle:/) }]),
  );
  expect(await theirs()).toEqual(before);

  await consul.put('/v1/agent/service/deregister/mine');
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(async () => expect(await held()).toMatchObject([{ ID: 'mine' }]));
  await ours.kill();
  await daemon[Symbol.asyncDispose]();
  expect(await theirs()).toEqual(before.filter(({ ID }) => ID !== 'mine'));
  for (const { ID } of foreign) await consul.put(`/v1/agent/service/deregister/${ID}`);
});

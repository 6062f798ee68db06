import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { findCurrentDocker } from '../../scripts/setup/engines.mjs';
import { worldEngine } from '../../scripts/world/engine.ts';
import { clearWorld, leftOnHost } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { docker, killEngine, restartEngine, runContainer, startEngine } from '../support/engine.ts';
import { engineApi } from '../support/engine-api.ts';
import { eventually } from '../support/eventually.ts';
import { succeed } from '../support/program.ts';

afterAll(() => clearWorld());

test('the engine is the one that this world was made for', async () => {
  const { Version: version } = (await engineApi('GET', '/version')) as { Version: string };
  const current = findCurrentDocker();
  expect(current).toBeDefined();
  const program = worldEngine() === 'new' ? `${current}/usr/sbin/dockerd` : 'dockerd';
  expect(await succeed(program, ['--version'])).toContain(version);
});

test('the engine answers in namespaces of its own, without any device of the host', async () => {
  expect(await docker('version', '--format', '{{.Server.Os}}')).toBe('linux');
  expect(readdirSync('/sys/class/net').sort()).toEqual(['docker0', 'lo']);
  expect(readlinkSync('/proc/self/ns/net')).toBe(readlinkSync('/proc/1/ns/net'));
  expect(readFileSync('/proc/1/comm', 'utf8')).toBe('tini\n');
});

test('a busybox container runs, has an address and answers HTTP', async () => {
  await using web = await runContainer([], ['sh', '-c', 'echo hello > /tmp/index.html; httpd -f -h /tmp']);
  const url = `http://${await web.address()}/index.html`;
  expect(await eventually(() => fetch(url).then((reply) => reply.text()))).toBe('hello\n');
  expect(await web.pid()).toBeGreaterThan(1);
});

test('Consul starts on its usual ports, answers dig, and forgets everything when wiped', async () => {
  await using consul = await startConsul();
  await consul.put('/v1/agent/service/register', { Name: 'web', Address: '10.2.1.1', Port: 80 });
  const ask = () => dig('web.service.dc1.consul', { port: consul.dnsPort });
  expect(dataOf(await ask())).toEqual(['10.2.1.1']);
  const [srv] = (await dig('web.service.dc1.consul', { port: consul.dnsPort, type: 'SRV', tcp: true }))
    .answers;
  expect(srv?.data).toBe('1 1 80 0a020101.addr.dc1.consul.');
  await consul.wipe();
  expect(await ask()).toMatchObject({ status: 'NXDOMAIN', answers: [] });
});

test('a second Consul lives beside the first, and a frozen one gives no answer', async () => {
  await using first = await startConsul();
  await using second = await startConsul({ portOffset: 1000 });
  first.freeze();
  const soon = { port: first.dnsPort, args: ['+time=1'] };
  // A stop signal takes a moment to reach every thread.
  await eventually(() => expect(dig('consul.service.consul', soon)).rejects.toThrow('no reply'));
  expect((await dig('consul.service.consul', { port: second.dnsPort })).status).toBe('NOERROR');
  first.thaw();
  expect((await dig('consul.service.consul', { port: first.dnsPort })).status).toBe('NOERROR');
});

test('the engine can be restarted, and killed: then its containers go on running', async () => {
  await using ended = await runContainer();
  await restartEngine();
  expect(await docker('inspect', '--format', '{{.State.Running}}', ended.id)).toBe('false');
  await using web = await runContainer();
  const pid = await web.pid();
  await killEngine();
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  await startEngine();
  expect(await docker('version', '--format', '{{.Server.Os}}')).toBe('linux');
});

test('nothing of heddle is in the world before a scenario begins', async () => {
  expect(await leftOnHost()).toEqual([]);
});

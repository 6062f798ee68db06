import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { docker, removeContainers, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { buildImage } from '../support/image.ts';

let image: string;
let consul: ConsulAgent;

beforeAll(async () => {
  image = await buildImage();
  // Containers reach it at the bridge's address.
  consul = await startConsul({ configuration: 'addresses { http = "0.0.0.0" }' });
}, 240_000);
afterEach(removeContainers);
afterAll(async () => {
  await consul?.stop();
  await clearWorld();
});

const ask = (name: string, type = 'A') => dig(`${name}.service.dc1.consul`, { type, port: consul.dnsPort });

const SOCKET = ['-v', '/var/run/docker.sock:/tmp/docker.sock'];

/** registrator's line with the image's name changed, in the host's network. */
const registrator = (...args: readonly string[]) =>
  docker('run', '-d', '--net=host', ...SOCKET, image, ...args);

test('the plainest line, from a network of its own and without any capability, does the same', async () => {
  await using web = await runContainer(['-e', 'SERVICE_NAME=plain', '--expose', '80']);
  await using stays = await runContainer(['-e', 'SERVICE_NAME=stays']);
  const host = await docker('inspect', '--format', '{{.NetworkSettings.Gateway}}', web.id);
  const line = ['run', '-d', ...SOCKET, image, '-internal', `consul://${host}:${consul.httpPort}`];
  const first = await docker(...line);
  for (const [name, container] of Object.entries({ plain: web, stays })) {
    const address = await container.address();
    await eventually(async () => expect(dataOf(await ask(name))).toEqual([address]), { within: 20_000 });
  }
  const ids = Object.keys(await consul.services());
  expect(ids).toHaveLength(2);

  // A new container replaces the first one, which has left nothing behind.
  await docker('rm', '--force', '--volumes', first);
  await docker('kill', web.id);
  await docker(...line);
  await eventually(async () => expect((await ask('plain')).status).toBe('NXDOMAIN'), { within: 20_000 });
  // Not registered a second time: it keeps its id.
  expect(Object.keys(await consul.services())).toEqual(ids.filter((id) => id.endsWith(':0')));
});

test("registrator's line with -internal registers the containers' own addresses", async () => {
  const id = await registrator('-internal', consul.uri);
  await using web = await runContainer(['-e', 'SERVICE_NAME=python-web', '--expose', '80']);
  const address = await web.address();
  await eventually(async () => expect(dataOf(await ask('python-web'))).toEqual([address]), {
    within: 20_000,
  });
  expect((await ask('python-web', 'SRV')).answers[0]?.data).toContain(' 80 ');
  await web.kill();
  await eventually(async () => expect((await ask('python-web')).status).toBe('NXDOMAIN'));
  await docker('stop', '--time', '10', id);
  expect(await docker('inspect', '--format', '{{.State.ExitCode}}', id)).toBe('0');
});

test('its flags keep their meaning, and ignored flags are logged once', async () => {
  await using zone = await startServer('eu-1');
  const tags = `all,{{strSlice .Name 1}},{{httpGet "${zone.url}"}}`;
  const id = await registrator(
    ...['-ip', '192.0.2.7', '-explicit', '-tags', tags, '-deregister', 'on-success'],
    ...['-cleanup', '-resync', '5', '-ttl=30', '-ttl-refresh=15', '-retry-attempts', '-1'],
    ...['-retry-interval', '500', '-useIpFromLabel', 'my.ip', consul.uri],
  );
  const publish = ['-p', '18080:80', '-e', 'SERVICE_NAME=shop', '--name', 'shop-1'];
  await using shop = await runContainer(publish, [
    'sh',
    '-c',
    'trap "exit 3" USR1; while :; do sleep 0.1; done',
  ]);
  await using _unnamed = await runContainer(['-p', '18081:81']);
  await using _labelled = await runContainer(['-e', 'SERVICE_NAME=far', '-l', 'my.ip=198.51.100.9/24']);
  await eventually(async () => expect(dataOf(await ask('shop-1.shop'))).toEqual(['192.0.2.7']), {
    within: 20_000,
  });
  for (const tag of ['all', 'eu-1']) {
    expect(dataOf(await ask(`${tag}.shop`, 'SRV'))).toEqual([expect.stringContaining(' 18080 ')]);
  }
  await eventually(async () => expect(dataOf(await ask('far'))).toEqual(['198.51.100.9']));
  expect((await ask('busybox')).status).toBe('NXDOMAIN');
  const log = await docker('logs', id);
  expect(log.match(/-[a-z-]+ has no effect/g)).toEqual(
    ['-cleanup', '-resync', '-ttl', '-ttl-refresh', '-retry-attempts', '-retry-interval'].map(
      (flag) => `${flag} has no effect`,
    ),
  );
  await docker('kill', '--signal', 'USR1', shop.id);
  await eventually(async () => {
    expect(await docker('inspect', '--format', '{{.State.ExitCode}}', shop.id)).toBe('3');
  });
  await sleep(1000);
  expect(dataOf(await ask('shop'))).toEqual(['192.0.2.7']);
  await shop[Symbol.asyncDispose]();
  await eventually(async () => expect((await ask('shop')).status).toBe('NXDOMAIN'));
});

/** As a cloud's metadata service answers. */
async function startServer(text: string) {
  const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, [Symbol.asyncDispose]: async () => void server.close() };
}

test('an unusable template, backend or value is refused at the start', async () => {
  const refused = async (...args: readonly string[]) => {
    const id = await registrator(...args);
    const status = await docker('wait', id);
    return `${status} ${await docker('logs', id).catch(() => '')}`;
  };
  expect(await refused('-tags', '{{.Config.Nothing}}', consul.uri)).toMatch(/^2 /);
  expect(await refused('-internal', 'etcd://127.0.0.1:4001/x')).toMatch(/^2 /);
  expect(await refused('-ttl', 'soon', consul.uri)).toMatch(/^2 /);
});

import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';
import { HERE, type RemoteEngine, startRemoteEngine } from '../support/remote-engine.ts';

/** Two hosts with one hostname, each with its own engine and heddle, and one Consul agent for both. */
let consul: ConsulAgent;
let there: RemoteEngine;

beforeAll(async () => {
  consul = await startConsul({ configuration: 'addresses { http = "0.0.0.0" }' });
  there = await startRemoteEngine();
  await there.load('busybox');
});
afterAll(async () => {
  await there?.[Symbol.asyncDispose]();
  await consul?.stop();
  await clearWorld();
});

interface Entry {
  readonly ServiceAddress: string;
  readonly ServiceMeta: Readonly<Record<string, string>>;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

const entries = () => consul.get<Entry[]>('/v1/catalog/service/web');
const addresses = async () => (await entries()).map(({ ServiceAddress }) => ServiceAddress).sort();
const entryAt = async (address: string) =>
  (await entries()).find(({ ServiceAddress }) => ServiceAddress === address);
/** The third field of ids and the container's name are the same on both: only the host-id differs. */
const WEB = ['--name', 'web', '-e', 'SERVICE_NAME=web', '--expose', '80'];
const registry = (address: string) => ['--registry', `consul://${address}:${consul.httpPort}`];

test("two hosts with one hostname keep and correct their own services, and never touch each other's", async () => {
  expect(await there.run('hostname')).toBe(hostname());
  const here: Daemon = await startDaemon([...registry('127.0.0.1'), '--on-stop', 'deregister']);
  await using other = await startDaemon(registry(HERE), {}, there.enter);
  const ours = await here.run(['10.2.1.1/16'], WEB);
  await there.docker('run', '-d', '--label', 'heddle.cidr=10.2.1.2/16', ...WEB, 'busybox', 'sleep', '600');
  await eventually(async () => expect(await addresses()).toEqual(['10.2.1.1', '10.2.1.2']));
  const [mine, theirs] = [await entryAt('10.2.1.1'), await entryAt('10.2.1.2')];
  const hosts = new Set([mine, theirs].map((entry) => entry?.ServiceMeta['heddle-host']));
  expect(hosts.size).toBe(2);

  // Each scans everything, is restarted, and crashes while the other's container ends.
  for (const daemon of [here, other]) process.kill(daemon.pid, 'SIGHUP');
  await here.restart();
  await eventually(async () => expect(await entryAt('10.2.1.1')).toBeDefined());
  await here.kill();
  await other.kill();
  await ours[Symbol.asyncDispose]();
  await other.start();
  expect(await addresses()).toEqual(['10.2.1.1', '10.2.1.2']);
  await here.start();
  await eventually(async () => expect(await addresses()).toEqual(['10.2.1.2']));
  expect(await here.stop()).toBe(0);
  await here[Symbol.asyncDispose]();
  expect(await entries()).toEqual([theirs]);

  await there.docker('kill', 'web');
  await eventually(async () => expect(await addresses()).toEqual([]));
});

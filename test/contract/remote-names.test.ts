import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConsulClient } from '../../src/registry/consul/api/client.ts';
import { ConsulLookups } from '../../src/registry/consul/lookups.ts';
import { Desired } from '../../src/registry/reconcile/desired.ts';
import { parseRegistryUri } from '../../src/registry/uri.ts';
import { HealthWatch } from '../../src/registry/view/health-watch.ts';
import { RemoteNames } from '../../src/registry/view/remote-names.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { ConsulAgent, type ConsulOptions } from '../support/consul.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

/** Services that other hosts register in a real Consul, as heddle sees them. */

const ports = { portOffset: 14_000 };
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** @param wait how long a blocking query waits, in seconds: an earlier answer reports a change */
async function rig(options: ConsulOptions = {}, wait = 1) {
  const agent = new ConsulAgent({ ...ports, ...options });
  closing.push(() => agent.stop());
  await agent.start();
  const uri = parseRegistryUri(agent.uri);
  if (uri.kind === 'embedded') throw new Error('not Consul');
  const [client, waiting] = [new ConsulClient(uri), new ConsulClient(uri)];
  closing.push(() => {
    for (const one of [client, waiting]) one.close();
  });
  const lookups = new ConsulLookups(client);
  const asked = vi.spyOn(lookups, 'instances');
  const blockingQueries = new ConsulLookups(waiting, { wait });
  const names = new RemoteNames({ lookups, blockingQueries });
  closing.push(() => names.stop());
  const addresses = async (name: string) => {
    const found = await names.instances(name);
    return found
      .filter(({ status }) => status !== 'critical')
      .map(({ service }) => service.address)
      .sort();
  };
  const isSoon = (name: string, ...expected: string[]) =>
    vi.waitFor(async () => expect(await addresses(name)).toEqual(expected), {
      timeout: 10_000,
      interval: 10,
    });
  return { agent, names, blockingQueries, asked, addresses, isSoon };
}

const register = (agent: ConsulAgent, Name: string, Address: string, more: object = {}) =>
  agent.put('/v1/agent/service/register', { ID: `${Name}-${Address}`, Name, Address, Port: 80, ...more });

describe("the agent's results for this host", () => {
  test('are known for each of fifty services as fast as in Consul’s own DNS', async () => {
    const { agent, blockingQueries } = await rig({}, 30);
    const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
    const watch = new HealthWatch({ desired, blockingQueries, node: () => 'heddle-n1', checkedBy: 'agent' });
    closing.push(() => watch.stop());
    watch.start();
    const ids = Array.from({ length: 50 }, (_, n) => {
      desired.set(
        entryOf({
          id: containerId((n + 16).toString(16)),
          ports: [80],
          env: { SERVICE_NAME: `web-${n}`, SERVICE_CHECK_TCP: 'true' },
        }),
      );
      return desired.byName(`web-${n}`)[0]?.id ?? '';
    });
    for (const [n, id] of ids.entries()) {
      const check = { CheckID: `alive-${n}`, TTL: '1h', Status: 'passing' };
      await register(agent, `web-${n}`, '10.2.1.1', { ID: id, Check: check });
    }
    await vi.waitFor(
      () => expect(ids.map((id) => watch.health?.services.get(id)?.status)).toEqual(ids.map(() => 'passing')),
      5000,
    );
    const consul = new Resolver();
    consul.setServers([`127.0.0.1:${agent.dnsPort}`]);
    for (const n of [0, 31, 32, 49]) {
      await agent.put(`/v1/agent/check/fail/alive-${n}`);
      await vi.waitFor(() => expect(consul.resolve4(`web-${n}.service.consul`)).rejects.toThrow(), {
        timeout: 5000,
        interval: 2,
      });
      await eventually(() =>
        expect(watch.health?.services.get(ids[n] ?? '')).toMatchObject({
          status: 'critical',
          unwell: [{ id: `alive-${n}`, status: 'critical' }],
        }),
      );
    }
  });
});

describe('a watched name', () => {
  test('follows registrations without lookups', async () => {
    const { agent, asked, isSoon } = await rig();
    await register(agent, 'web', '10.2.1.1');
    await isSoon('web', '10.2.1.1');
    for (let n = 2; n < 6; n++) {
      await register(agent, 'web', `10.2.1.${n}`);
      await isSoon('web', ...Array.from({ length: n }, (_, at) => `10.2.1.${at + 1}`));
    }
    const before = asked.mock.calls.length;
    await agent.put('/v1/agent/service/deregister/web-10.2.1.1');
    await isSoon('web', '10.2.1.2', '10.2.1.3', '10.2.1.4', '10.2.1.5');
    expect(asked.mock.calls.length).toBe(before);
  });

  test('loses an instance whose check fails as fast as Consul’s own DNS does', async () => {
    const { agent, addresses, isSoon } = await rig({}, 30);
    await register(agent, 'web', '10.2.1.1', { Check: { CheckID: 'alive', TTL: '1h', Status: 'passing' } });
    await register(agent, 'web', '10.2.1.2');
    await isSoon('web', '10.2.1.1', '10.2.1.2');
    const consul = new Resolver();
    consul.setServers([`127.0.0.1:${agent.dnsPort}`]);
    const theirs = async () => (await consul.resolve4('web.service.consul')).sort();
    for (const [verb, expected] of [
      ['fail', ['10.2.1.2']],
      ['pass', ['10.2.1.1', '10.2.1.2']],
    ] as const) {
      await agent.put(`/v1/agent/check/${verb}/alive`);
      await vi.waitFor(async () => expect(await theirs()).toEqual(expected), { timeout: 5000, interval: 2 });
      await eventually(async () => expect(await addresses('web')).toEqual(expected));
    }
  });

  test('keeps its last instances while Consul is down, and is right again after Consul lost its data', async () => {
    const { agent, addresses, isSoon } = await rig();
    for (let n = 1; n < 9; n++) await register(agent, 'web', '10.2.1.1', { Port: n });
    await isSoon('web', '10.2.1.1');
    await agent.stop();
    await eventually(async () => expect(await addresses('web')).toEqual(['10.2.1.1']));
    await agent.start();
    await register(agent, 'web', '10.2.1.9');
    await isSoon('web', '10.2.1.9');
    await register(agent, 'web', '10.2.1.8');
    await isSoon('web', '10.2.1.8', '10.2.1.9');
  });

  test('is right again after the servers lost their data and the agent did not', async () => {
    await using folder = await temporaryFolder();
    const server = new ConsulAgent({ ...ports, address: '127.0.0.2', node: 'server' });
    closing.push(() => server.stop());
    await server.start();
    const { agent, isSoon } = await rig({
      mode: [`-data-dir=${folder.path}`, `-retry-join=127.0.0.2:${8301 + ports.portOffset}`],
    });
    for (let n = 1; n < 9; n++) await register(agent, 'web', '10.2.1.1', { Port: n });
    await isSoon('web', '10.2.1.1');
    await server.wipe();
    await agent.put(`/v1/agent/join/127.0.0.2:${8301 + ports.portOffset}`);
    await register(agent, 'web', '10.2.1.2');
    await isSoon('web', '10.2.1.1', '10.2.1.2');
    await register(agent, 'web', '10.2.1.3');
    await isSoon('web', '10.2.1.1', '10.2.1.2', '10.2.1.3');
  });

  test('follows an index that goes back unnoticed', async () => {
    const { agent, blockingQueries, isSoon } = await rig();
    await register(agent, 'web', '10.2.1.1');
    const { changes } = blockingQueries;
    const indexes: number[] = [];
    vi.spyOn(blockingQueries, 'changes').mockImplementation(async (name, index, signal) => {
      indexes.push(index);
      const now = await changes.call(blockingQueries, name, index, signal);
      // As if the answer came from before the loss of data.
      return index === 0 && indexes.length === 1 ? { ...now, index: now.index + 1000 } : now;
    });
    await isSoon('web', '10.2.1.1');
    await register(agent, 'web', '10.2.1.2');
    await isSoon('web', '10.2.1.1', '10.2.1.2');
    await vi.waitFor(() => expect(indexes.length).toBeGreaterThan(3), { timeout: 5000 });
    expect(indexes.slice(0, 4)).toEqual([
      0,
      expect.toSatisfy((far: number) => far > 1000),
      0,
      expect.any(Number),
    ]);
    await register(agent, 'web', '10.2.1.3');
    await isSoon('web', '10.2.1.1', '10.2.1.2', '10.2.1.3');
  });
});

test('of three hundred used names 32 hold a connection, and all are right', async () => {
  const { agent, names, addresses, isSoon } = await rig();
  const many = Array.from({ length: 300 }, (_, n) => `s${n}`);
  const services = many.map((name, n) => ({
    Service: { Node: 'n9', Service: { ID: name, Service: name, Address: `10.9.0.${n % 250}`, Port: 80 } },
  }));
  const node = { Node: { Verb: 'set', Node: { Node: 'n9', Address: '192.0.2.9' } } };
  for (let at = 0; at < services.length; at += 60) {
    const batch = services
      .slice(at, at + 60)
      .map(({ Service }) => ({ Service: { Verb: 'set', ...Service } }));
    await agent.put('/v1/txn', [node, ...batch]);
  }
  for (const [n, name] of many.entries()) expect(await addresses(name)).toEqual([`10.9.0.${n % 250}`]);
  expect(names.status()).toEqual({ watched: 32, known: 300 });
  const { length } = await openConnections(agent.httpPort);
  expect(length).toBeLessThanOrEqual(32 + 2);
  await agent.put('/v1/catalog/deregister', { Node: 'n9', ServiceID: 's299' });
  await isSoon('s299');
});

/** Connections of this process to a port of this host. */
async function openConnections(port: number): Promise<readonly string[]> {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = (await readFile('/proc/self/net/tcp', 'utf8')).split('\n');
  return lines.filter((line) => line.trim().split(/\s+/)[2] === remote && / 01 /.test(line));
}

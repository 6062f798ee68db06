import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConsulRegistry } from '../../src/registry/consul/agent-registry.ts';
import { ConsulClient } from '../../src/registry/consul/api/client.ts';
import { CatalogRegistry } from '../../src/registry/consul/catalog-registry.ts';
import { removeLeftovers } from '../../src/registry/consul/leftovers.ts';
import { Desired } from '../../src/registry/reconcile/desired.ts';
import { Reconciler } from '../../src/registry/reconcile/reconciler.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { parseRegistryUri } from '../../src/registry/uri.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { withOwnerMeta } from '../../src/services/naming/identity.ts';
import { DEFAULT_WEIGHTS } from '../../src/services/service.ts';
import { ConsulAgent } from '../support/consul.ts';
import { temporaryFolder } from '../support/folder.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

const PORTS = { portOffset: 13_000 };
const DEAD = '0123456789ab';
const LIVE = 'ba9876543210';

const clients: ConsulClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function clientOf(agent: ConsulAgent): ConsulClient {
  const uri = parseRegistryUri(agent.uri);
  if (uri.kind === 'embedded') throw new Error('not Consul');
  const client = new ConsulClient(uri);
  clients.push(client);
  return client;
}

/** Registers services of these names for a host. */
async function fill(registry: Registry, hostId: string, names: readonly string[]): Promise<void> {
  for (const [at, name] of names.entries()) {
    const id = `heddle:${hostId}:c0ffee00000${at}:80`;
    const plain = { id, name, address: '10.2.1.1', port: 80, tags: [], meta: {}, checks: [] };
    await registry.register(
      withOwnerMeta({ ...plain, weights: DEFAULT_WEIGHTS }, hostId, containerId('c0ffee')),
    );
  }
}

/** A server and, on 127.0.0.2, a client agent with data of its own. */
async function serverAndClient(folder: string) {
  const server = new ConsulAgent({ ...PORTS, node: 'server' });
  const client = new ConsulAgent({
    ...PORTS,
    address: '127.0.0.2',
    node: 'client',
    mode: [`-data-dir=${folder}/client`, `-retry-join=127.0.0.1:${8301 + PORTS.portOffset}`],
  });
  await server.start();
  await client.start();
  const stop = () => Promise.all([client.stop(), server.stop()]);
  return { server, client, [Symbol.asyncDispose]: async () => void (await stop()) };
}

describe('leftovers of a lost host', () => {
  test('are found first, then removed wherever they are, and nothing else', async () => {
    await using agent = new ConsulAgent(PORTS);
    await agent.start();
    const client = clientOf(agent);
    const onAgent = (hostId: string) => new ConsulRegistry(client, { hostId });
    const onNode = (hostId: string) => new CatalogRegistry(client, { hostId, address: () => '192.0.2.7' });
    await fill(onAgent(DEAD), DEAD, ['web', 'db']);
    await fill(onNode(DEAD), DEAD, ['web']);
    await fill(onAgent(LIVE), LIVE, ['web']);
    await fill(onNode(LIVE), LIVE, ['db']);
    const said = async (dryRun: boolean) =>
      (await removeLeftovers(client, DEAD, { dryRun }))
        .map(({ node, name, outcome }) => `${node} ${name} ${outcome}`)
        .sort();
    const where = ['heddle-0123456789ab web', 'heddle-n1 db', 'heddle-n1 web'];
    expect(await said(true)).toEqual(where.map((line) => `${line} found`));
    expect(await said(false)).toEqual(where.map((line) => `${line} removed`));
    expect(await said(false)).toEqual([]);
    expect(await onAgent(DEAD).list()).toEqual([]);
    expect(await agent.get(`/v1/catalog/node/heddle-${DEAD}`)).toBeNull();
    expect(await onAgent(LIVE).list()).toHaveLength(1);
    expect(await onNode(LIVE).list()).toHaveLength(1);
  });

  test('are kept while their agent runs, and removed once it is gone', async () => {
    await using folder = await temporaryFolder();
    await using cluster = await serverAndClient(folder.path);
    await fill(new ConsulRegistry(clientOf(cluster.client), { hostId: DEAD }), DEAD, ['web']);
    const outcomes = async () =>
      (await removeLeftovers(clientOf(cluster.server), DEAD, { dryRun: false })).map(
        ({ outcome }) => outcome,
      );
    await vi.waitFor(async () => expect(await outcomes()).toEqual(['kept']), { timeout: 10_000 });
    await cluster.client.stop();
    await vi.waitFor(async () => expect(await outcomes()).toEqual(['removed']), {
      timeout: 30_000,
      interval: 500,
    });
    expect(await outcomes()).toEqual([]);
  });
});

test('a client agent that lost its data is recognised, and the message helps', async () => {
  await using folder = await temporaryFolder();
  await using cluster = await serverAndClient(folder.path);
  const said: string[] = [];
  const log = silentLogger.child({});
  Object.assign(log, { warn: (...args: unknown[]) => void said.push(String(args.at(-1))) });
  const registry = new ConsulRegistry(clientOf(cluster.client), { hostId: LIVE, watchEvery: 200 });
  const desired = new Desired({ log: silentLogger }, { hostId: LIVE });
  desired.set(entryOf({ env: { SERVICE_NAME: 'web' } }));
  const reconciler = new Reconciler({ registry, desired, log });
  const served = async () => cluster.server.get<unknown[]>('/v1/catalog/service/web');
  try {
    await reconciler.start();
    await vi.waitFor(async () => expect(await served()).toHaveLength(1), { timeout: 10_000 });
    expect(reconciler.status().unsynced).toEqual([]);
    await cluster.client.stop();
    await rm(`${folder.path}/client`, { recursive: true });
    desired.set(entryOf({ env: { SERVICE_NAME: 'web', SERVICE_TAGS: 'new' } }));
    await cluster.client.start();
    await vi.waitFor(() => expect(reconciler.status().unsynced).toHaveLength(1), { timeout: 20_000 });
    const { unsyncedWhy } = reconciler.status();
    expect(unsyncedWhy).toContain('the agent lost its data, and the servers keep the name client');
    expect(said.filter((line) => line.includes(unsyncedWhy ?? 'nothing'))).toHaveLength(1);
    await cluster.server.put('/v1/catalog/deregister', { Node: 'client' });
    await vi.waitFor(() => expect(reconciler.status().unsynced).toEqual([]), { timeout: 40_000 });
    expect(reconciler.status().unsyncedWhy).toBeUndefined();
    expect(await served()).toMatchObject([{ ServiceTags: ['new'] }]);
  } finally {
    await reconciler.stop();
  }
});

import { describe, expect, it, onTestFinished } from 'vitest';
import { HeddleError } from '../../../src/errors.ts';
import { ConsulRegistry } from '../../../src/registry/consul/agent-registry.ts';
import { ConsulClient } from '../../../src/registry/consul/api/client.ts';
import { CatalogRegistry } from '../../../src/registry/consul/catalog-registry.ts';
import { ConsulLookups } from '../../../src/registry/consul/lookups.ts';
import type { Service } from '../../../src/services/service.ts';
import { eventually } from '../../support/eventually.ts';
import { json, MISDEEDS, RawServer } from '../../support/raw-server.ts';

const SERVICE: Service = {
  id: 'heddle:h1:c0ffee000000:80',
  name: 'web',
  tags: [],
  address: '10.2.1.1',
  port: 80,
  meta: { 'heddle-owner': 'heddle', 'heddle-host': 'h1', 'heddle-hash': 'x' },
  checks: [{ kind: 'ttl', id: 'c1', name: 'c1', ttl: '30s', status: 'passing' }],
  weights: { passing: 1, warning: 1 },
  enableTagOverride: false,
} as Service;

const never = new AbortController().signal;
const VERBS: Readonly<Record<string, (client: ConsulClient) => Promise<unknown>>> = {
  ready: (client) => new ConsulRegistry(client, { hostId: 'h1' }).ready(never),
  list: (client) => new ConsulRegistry(client, { hostId: 'h1' }).list(never),
  register: (client) => new ConsulRegistry(client, { hostId: 'h1' }).register(SERVICE, never),
  report: (client) => new ConsulRegistry(client, { hostId: 'h1' }).report(SERVICE, never),
  deregister: (client) => new ConsulRegistry(client, { hostId: 'h1' }).deregister(SERVICE.id, never),
  unsynced: (client) => new ConsulRegistry(client, { hostId: 'h1' }).unsynced([SERVICE], never),
  'lookup of a name': (client) => new ConsulLookups(client).instances('web', never),
  'blocking query': (client) => new ConsulLookups(client).changes('web', 1, never),
  'list of the catalog': (client) =>
    new CatalogRegistry(client, { hostId: 'h1', address: () => '10.0.0.1' }).list(never),
  'register in the catalog': (client) =>
    new CatalogRegistry(client, { hostId: 'h1', address: () => '10.0.0.1' }).register(SERVICE, never),
};

describe.each(Object.entries(MISDEEDS))('a Consul that answers with %s', (_, deed) => {
  it.each(Object.entries(VERBS))('fails only that call: %s', async (_, call) => {
    await using server = await RawServer.start(() => deed);
    const client = new ConsulClient({ kind: 'consul', socketPath: server.path }, { timeout: 250 });
    onTestFinished(() => client.close());
    await call(client).catch((error: unknown) => {
      expect(error).toBeInstanceOf(HeddleError);
      expect((error as HeddleError).message.length).toBeLessThan(1500);
    });
    server.deed = () => json({ Config: { NodeName: 'n1', Datacenter: 'dc1' }, Member: { Addr: '10.0.0.1' } });
    const read = (body: unknown) => (body as { Config: { NodeName: string } }).Config.NodeName;
    expect(await client.get({ attempt: 'cannot ask', path: '/agent/self' }, read)).toBe('n1');
    client.close();
    await eventually(() => expect(server.connections).toBe(0));
  });
});

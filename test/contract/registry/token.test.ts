import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulRegistry } from '../../../src/registry/consul/agent-registry.ts';
import { ConsulClient } from '../../../src/registry/consul/api/client.ts';
import { CATALOG_TOKEN_POLICY, TOKEN_POLICY } from '../../../src/registry/consul/api/errors.ts';
import { CatalogRegistry } from '../../../src/registry/consul/catalog-registry.ts';
import { removeLeftovers } from '../../../src/registry/consul/leftovers.ts';
import { ConsulLookups } from '../../../src/registry/consul/lookups.ts';
import { openRegistry } from '../../../src/registry/open.ts';
import { parseRegistryUri } from '../../../src/registry/uri.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { createToken, DENIES_BY_DEFAULT } from '../../support/acl.ts';
import { ConsulAgent } from '../../support/consul.ts';
import { closeClients, closesLater, HOST, PLAIN, serviceOf } from './subjects.ts';

describe('a real agent that denies by default', () => {
  const agent = new ConsulAgent({ portOffset: 11_000, configuration: DENIES_BY_DEFAULT });
  const tokenOf = async (rules: string) => (await createToken(agent, rules)).secret;
  const clientWith = (token: string) => {
    const uri = { kind: 'consul', host: '127.0.0.1', port: agent.httpPort, tls: false } as const;
    return closesLater(new ConsulClient(uri, { token }));
  };
  const registryWith = (token: string) => new ConsulRegistry(clientWith(token), { hostId: HOST });

  beforeAll(() => agent.start());

  afterAll(async () => {
    closeClients();
    await agent.stop();
  });

  test.each(['agent', 'catalog'] as const)('needs only the documented policy: %s', async (consulMode) => {
    const consulToken = await tokenOf(consulMode === 'agent' ? TOKEN_POLICY : CATALOG_TOKEN_POLICY);
    const settings = { ...PLAIN, registry: parseRegistryUri(agent.uri), consulToken, consulMode };
    const open = openRegistry(settings, { hostId: HOST, log: silentLogger });
    const { registry } = open;
    expect(await registry.list()).toEqual([]);
    const service = serviceOf({ addresses: { ipv4: '10.2.1.1', ipv6: 'fd00::1' } });
    await registry.register(service);
    expect(await registry.list()).toEqual([service]);
    expect(await registry.unsynced([service])).toEqual([]);
    await registry.deregister(service.id);
    expect(await registry.list()).toEqual([]);
    await open.stop();
  });

  test('rejects catalog writes with a token for agent mode, and names the policy it needs', async () => {
    const consulToken = await tokenOf(TOKEN_POLICY);
    const settings = { ...PLAIN, registry: parseRegistryUri(agent.uri), consulToken };
    const open = openRegistry({ ...settings, consulMode: 'catalog' }, { hostId: HOST, log: silentLogger });
    await expect(open.registry.register(serviceOf())).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(CATALOG_TOKEN_POLICY),
    });
    await open.stop();
  });

  test('does not trust an empty list with a token that may not read, or no longer may', async () => {
    const token = await createToken(agent, TOKEN_POLICY);
    const registry = registryWith(token.secret);
    expect(await registry.list()).toEqual([]);
    await registry.register(serviceOf());
    await token.allow('key_prefix "" { policy = "read" }');
    await expect(registry.list()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(TOKEN_POLICY),
    });
  });

  test.each([
    ['services and no nodes', 'service_prefix "" { policy = "write" } agent_prefix "" { policy = "read" }'],
    ['nodes and no services', 'node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" }'],
  ])('does not report a name, node or service as absent with a token that may read %s', async (_, rules) => {
    const token = await createToken(agent, TOKEN_POLICY);
    const registry = registryWith(token.secret);
    const lookups = new ConsulLookups(clientWith(token.secret), { wait: 1 });
    const signal = AbortSignal.timeout(10_000);
    await registry.register(serviceOf());
    expect(await lookups.instances('web')).toHaveLength(1);
    expect(await lookups.instances('nobody')).toEqual([]);
    const { index } = await lookups.changes('nobody', 0, signal);
    expect(await lookups.node('nobody')).toBeUndefined();
    expect(await registry.unsynced([serviceOf()])).toEqual([]);
    await token.allow(rules);
    const refusal = { code: 'refused', message: expect.stringContaining(TOKEN_POLICY) };
    const asked = {
      instances: () => lookups.instances('web'),
      changes: () => lookups.changes('web', 0, signal),
      'changes after a blocking query': () => lookups.changes('nobody', index, signal),
      node: () => lookups.node('nobody'),
      unsynced: () => registry.unsynced([serviceOf()]),
      'unsynced of no service': () => registry.unsynced([]),
      'leftovers of a host': () => removeLeftovers(clientWith(token.secret), HOST, { dryRun: true }),
    };
    for (const [what, ask] of Object.entries(asked)) {
      await expect(ask(), what).rejects.toMatchObject(refusal);
    }
  });

  test('also reports hidden nodes in catalog mode', async () => {
    const rules = 'service_prefix "" { policy = "write" } node_prefix "heddle-h1" { policy = "write" }';
    const client = clientWith((await createToken(agent, rules)).secret);
    const registry = new CatalogRegistry(client, { hostId: HOST, address: () => '192.0.2.7' });
    const refusal = { code: 'refused', message: expect.stringContaining('not even its own') };
    await expect(registry.list()).rejects.toMatchObject(refusal);
    await registry.register(serviceOf());
    expect(await registry.list()).toEqual([serviceOf()]);
    await expect(registry.unsynced([serviceOf()])).rejects.toMatchObject(refusal);
    await registry.deregister(serviceOf().id);
  });

  test('rejects writes with a token that may only read, and names the policy it needs', async () => {
    const reader = registryWith(await tokenOf('service_prefix "" { policy = "read" }'));
    expect(await reader.list()).toEqual([serviceOf()]);
    await expect(reader.register(serviceOf())).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(TOKEN_POLICY),
    });
    await expect(reader.deregister(serviceOf().id)).rejects.toMatchObject({ code: 'refused' });
  });

  test('refuses an unknown token', async () => {
    await expect(registryWith('00000000-0000-0000-0000-000000000001').list()).rejects.toMatchObject({
      code: 'refused',
    });
  });
});

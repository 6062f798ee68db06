import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgentIdentity } from '../../../src/registry/consul/agent-identity.ts';
import { ConsulRegistry } from '../../../src/registry/consul/agent-registry.ts';
import { readInstances, readNodeHealth } from '../../../src/registry/consul/api/answers.ts';
import { ConsulClient } from '../../../src/registry/consul/api/client.ts';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import { Reconciler } from '../../../src/registry/reconcile/reconciler.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import type { Service } from '../../../src/services/service.ts';
import { FakeConsul } from '../../support/fake-consul.ts';
import { entryOf } from '../../support/roster.ts';
import { containerId } from '../../support/snapshot.ts';

/** Answers of versions after 1.8 that differ, in the form of their documentation and source. */
let fake: FakeConsul;
let client: ConsulClient;
let registry: ConsulRegistry;

const service: Service = {
  ...{ id: 'heddle:h1:c0ffee000000:80', name: 'web', tags: [], address: '10.2.1.1', port: 80, meta: {} },
  ...{ checks: [], weights: { passing: 1, warning: 1 } },
};
const UNKNOWN_SERVICE =
  'Unknown service ID "heddle:h1:c0ffee000000:80". Ensure that the service ID is passed, not the service name.';

beforeEach(async () => {
  fake = await FakeConsul.start();
  client = new ConsulClient(
    { kind: 'consul', host: '127.0.0.1', port: fake.port, tls: false },
    { token: 's3cret' },
  );
  registry = new ConsulRegistry(client, { hostId: 'h1', watchEvery: 10 });
});
afterEach(async () => {
  client.close();
  await fake.stop();
});

describe('the removal of an unknown service', () => {
  const route = `PUT /v1/agent/service/deregister/${service.id}`;
  test.each([
    [200, ''],
    [404, UNKNOWN_SERVICE],
    [500, UNKNOWN_SERVICE],
  ])('succeeds also with status %i', async (status, body) => {
    fake.overrides.set(route, { status, body });
    await expect(registry.deregister(service.id)).resolves.toBeUndefined();
  });

  test('fails if Consul refuses it', async () => {
    const body = "Permission denied: token with AccessorID '0' lacks permission 'service:write' on \"web\"";
    fake.overrides.set(route, { status: 403, body });
    await expect(registry.deregister(service.id)).rejects.toMatchObject({ code: 'refused' });
  });
});

test.each([
  [500, 'CheckID "x" does not have associated TTL'],
  [404, 'Unknown check ID "x". Ensure that the check ID is passed, not the check name.'],
])('an unknown check registers its service again: %i', async (status, body) => {
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
  const reconciler = new Reconciler({ registry, desired, log: silentLogger });
  const run = (health: 'healthy' | 'unhealthy') =>
    desired.set(entryOf({ id: containerId('a1'), env: { SERVICE_NAME: 'web' }, health }));
  run('healthy');
  await reconciler.start();
  await reconciler.flush();
  const [own] = desired.services();
  fake.overrides.set(`PUT /v1/agent/check/update/${own?.id}~healthcheck`, { status, body });
  run('unhealthy');
  await reconciler.flush();
  expect(fake.requests.filter((request) => request === 'PUT /v1/agent/service/register')).toHaveLength(2);
  expect(reconciler.status()).toMatchObject({ state: 'synced', pending: 0 });
  await reconciler.stop();
});

test.each([
  [403, 'ACL not found'],
  [
    403,
    'Permission denied: anonymous token lacks permission \'service:write\' on "web". The anonymous token is used implicitly when a request does not specify a token.',
  ],
  [500, 'rpc error making call: Permission denied'],
  [500, 'rpc error making call: ACL not found'],
])('a denied request names the policy that the token needs: %i %s', async (status, body) => {
  fake.overrides.set('PUT /v1/agent/service/register', { status, body });
  await expect(registry.register(service)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('the token (CONSUL_HTTP_TOKEN) needs the policy'),
  });
});

test('without a token the message states that none was given', async () => {
  const bare = new ConsulClient({ kind: 'consul', host: '127.0.0.1', port: fake.port, tls: false });
  fake.overrides.set('PUT /v1/agent/service/register', { status: 403, body: 'Permission denied' });
  await expect(new ConsulRegistry(bare, { hostId: 'h1' }).register(service)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringMatching(
      /; no token was given: set CONSUL_HTTP_TOKEN or CONSUL_HTTP_TOKEN_FILE; it needs/,
    ),
  });
  bare.close();
});

test('the token is sent in its header, never in the query, which later versions reject', async () => {
  await registry.register(service);
  expect(fake.lastHeaders['x-consul-token']).toBe('s3cret');
  expect(fake.lastUrl).not.toMatch(/token|s3cret/);
});

describe('a server that limits requests', () => {
  test.each([
    [429, 'rate limit exceeded, try again later or against a different server'],
    [503, 'rate limit exceeded for operation that can only be performed by the leader, try again later'],
    [500, 'rpc error making call: rate limit exceeded, try again later'],
    [429, ''],
  ])('is retried after a wait, and then gets everything: %i %s', async (status, body) => {
    const desired = new Desired({ log: silentLogger }, { hostId: 'h1' });
    const reconciler = new Reconciler(
      { registry, desired, log: silentLogger },
      { retry: { first: 200, longest: 400 } },
    );
    await reconciler.start();
    const route = 'PUT /v1/agent/service/register';
    fake.overrides.set(route, { status, body });
    desired.set(entryOf({ id: containerId('a1'), env: { SERVICE_NAME: 'web' } }));
    await vi.waitFor(() => expect(reconciler.status().state).toBe('away'));
    const tries = () => fake.requests.filter((request) => request === route).length;
    const before = tries();
    await delay(500);
    // At most one for each wait, and the waits grow.
    expect(tries() - before).toBeLessThanOrEqual(5);
    fake.overrides.delete(route);
    await vi.waitFor(() => expect(reconciler.status()).toMatchObject({ state: 'synced', pending: 0 }), 5000);
    expect(await registry.list()).toHaveLength(1);
    await reconciler.stop();
  });
});

describe("the agent's identity", () => {
  const self = (changes: object) =>
    fake.overrides.set('GET /v1/agent/self', {
      status: 200,
      body: {
        Config: {
          ...{
            Datacenter: 'dc1',
            PrimaryDatacenter: 'dc1',
            NodeName: 'n1',
            NodeID: 'id-1',
            Partition: 'default',
          },
          ...{ Revision: '0e046bbb', Server: true, Version: '1.22.0+ent', BuildDate: '2025-10-24T00:00:00Z' },
          ...changes,
        },
        DebugConfig: { UseStreamingBackend: true },
        Member: { Name: 'n1', Addr: '192.0.2.1', Tags: { ft_fs: '1' } },
        Stats: { agent: { services: '1' } },
        Meta: { 'consul-network-segment': '', 'consul-version': '1.22.0' },
        xDS: { SupportedProxies: {}, Port: 8502, Ports: { Plaintext: 8502, TLS: 8503 } },
      },
    });

  test.each([
    ['1.8.7', []],
    ['1.10.3+ent', ['h2ping']],
    ['1.13.0', ['udp', 'h2ping']],
    ['1.22.0+ent', ['udp', 'h2ping']],
    ['2.0.1', ['udp', 'h2ping']],
    ['v1.9.0-dev', []],
  ] as const)('%s: which kinds of checks it runs is learnt with its version', async (Version, expected) => {
    self({ Version });
    await registry.list();
    expect((['udp', 'h2ping'] as const).filter((kind) => registry.runs(kind))).toEqual(expected);
  });

  test('changes with the version, node or address, but not with the counters', async () => {
    const identity = new AgentIdentity(client);
    const seen: string[] = [];
    identity.onChange(({ node, version }) => seen.push(`${node} ${version}`));
    for (const changes of [{}, {}, { Version: '1.22.1+ent' }, { NodeName: 'n2', Version: '1.22.1+ent' }]) {
      self(changes);
      await identity.read();
    }
    expect(seen).toEqual(['n1 1.22.0+ent', 'n1 1.22.1+ent', 'n2 1.22.1+ent']);
    expect(identity.last).toMatchObject({ address: '192.0.2.1', meta: { 'consul-version': '1.22.0' } });
  });
});

test('instances with fields of later versions are parsed: several ports, a locality, a peer', () => {
  const Ports = [
    { Name: 'admin', Port: 9000 },
    { Name: 'http', Port: 8080, Default: true },
  ];
  const body = {
    Node: { ID: '1', Node: 'n2', Address: '192.0.2.2', Locality: { Region: 'eu' }, PeerName: '' },
    Service: {
      ID: 'web-1',
      Service: 'web',
      Address: '10.2.2.1',
      Port: 0,
      Ports,
      Locality: null,
      PeerName: '',
    },
    Checks: [
      { CheckID: 'serfHealth', Name: 'Serf', Status: 'passing', ServiceID: '', Type: '', ExposedPort: 0 },
    ],
  };
  expect(readInstances([body])).toMatchObject([{ service: { port: 8080 }, node: 'n2', status: 'passing' }]);
  const first = { ...body, Service: { ...body.Service, Ports: [{ Name: 'a', Port: 7 }, null] } };
  expect(readInstances([first])?.[0]?.service.port).toBe(7);
});

test('a dead agent does not affect services that heddle answers itself', () => {
  const serf = { CheckID: 'serfHealth', Name: 'Serf', Status: 'critical', ServiceID: '' };
  const maintained = {
    CheckID: '_node_maintenance',
    Name: 'Node Maintenance Mode',
    Status: 'critical',
    ServiceID: '',
  };
  expect(readNodeHealth([serf])?.node).toEqual({ status: 'passing' });
  expect(readNodeHealth([serf, maintained])?.node.status).toBe('critical');
});

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Heartbeats } from '../../src/checks/heartbeats.ts';
import type { Health } from '../../src/docker/snapshot.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { ConsulRegistry } from '../../src/registry/consul/agent-registry.ts';
import { readAgentChecks } from '../../src/registry/consul/api/answers.ts';
import { ConsulClient } from '../../src/registry/consul/api/client.ts';
import { CATALOG_TOKEN_POLICY, TOKEN_POLICY } from '../../src/registry/consul/api/errors.ts';
import { CatalogRegistry } from '../../src/registry/consul/catalog-registry.ts';
import { removeLeftovers } from '../../src/registry/consul/leftovers.ts';
import { ConsulLookups } from '../../src/registry/consul/lookups.ts';
import { EmbeddedRegistry } from '../../src/registry/embedded.ts';
import { type OpenRegistry, openRegistry, type RegistrySettings } from '../../src/registry/open.ts';
import { Desired } from '../../src/registry/reconcile/desired.ts';
import { Reconciler } from '../../src/registry/reconcile/reconciler.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { parseRegistryUri } from '../../src/registry/uri.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { define } from '../../src/services/define.ts';
import { withOwnerMeta } from '../../src/services/naming/identity.ts';
import {
  type CheckKind,
  type CheckStatus,
  DEFAULT_WEIGHTS,
  type Service,
} from '../../src/services/service.ts';
import { createToken, DENIES_BY_DEFAULT } from '../support/acl.ts';
import { ConsulAgent } from '../support/consul.ts';
import { FakeConsul } from '../support/fake-consul.ts';
import { temporaryFolder } from '../support/folder.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

const HOST = 'h1';

/** The settings of a registry where nothing is said. */
const PLAIN: RegistrySettings = {
  registry: { kind: 'embedded' },
  consulMode: 'agent',
  consulToken: undefined,
  consulTokenFile: undefined,
  consulTls: false,
  consulAuth: undefined,
  consulCa: undefined,
  consulCaPath: undefined,
  consulServerName: undefined,
  consulVerify: true,
  consulCert: undefined,
  consulKey: undefined,
  consulDatacenter: undefined,
  consulNamespace: undefined,
  consulPartition: undefined,
  ip: undefined,
};

const serviceOf = (changes: Partial<Service> = {}, host = HOST): Service => {
  const plain = {
    id: `heddle:${host}:c0ffee000000:80`,
    name: 'web',
    tags: ['v2', 'site1.customer1', 'a,b', 'Größe'],
    address: '10.2.1.1',
    port: 80,
    meta: { region: 'eu' },
    checks: [],
    weights: { passing: 10, warning: 3 },
    ...changes,
  };
  return withOwnerMeta(plain, host, containerId('c0ffee'));
};

/** One implementation under the suite; `registry` is the same store seen by the heddle of another host. */
interface Subject {
  registry(host: string): Registry;
  /** Of Consul's API, where there is one. */
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const clients: ConsulClient[] = [];

function clientAt(port: number): ConsulClient {
  const client = new ConsulClient({ kind: 'consul', host: '127.0.0.1', port, tls: false });
  clients.push(client);
  return client;
}

const consulAt = (port: number, host: string) =>
  new ConsulRegistry(clientAt(port), { hostId: host, watchEvery: 100 });
const catalogAt = (port: number, host: string) =>
  new CatalogRegistry(clientAt(port), { hostId: host, address: () => '192.0.2.7', watchEvery: 100 });
const lookupsAt = (port: number) => new ConsulLookups(clientAt(port));

class EmbeddedSubject implements Subject {
  readonly #embedded = new EmbeddedRegistry();
  readonly port = 0;
  registry = () => this.#embedded;
  async start() {}
  async stop() {}
}

class FakeSubject implements Subject {
  #fake: FakeConsul | undefined;
  registry = (host: string) => consulAt(this.port, host);
  get port() {
    return this.#fake?.port ?? 0;
  }
  async start() {
    this.#fake = await FakeConsul.start();
  }
  async stop() {
    await this.#fake?.stop();
  }
}

class RealSubject implements Subject {
  readonly agent = new ConsulAgent({ portOffset: 11_000 });
  readonly port = this.agent.httpPort;
  registry: (host: string) => Registry = (host) => consulAt(this.port, host);
  start = () => this.agent.start();
  stop = () => this.agent.stop();
}

class CatalogSubject extends RealSubject {
  override registry = (host: string) => catalogAt(this.port, host);
}

interface Kind {
  readonly shared?: boolean;
  /** A Consul, whose own API can be asked. */
  readonly real?: boolean;
}

const subjects: readonly (readonly [string, () => Subject, Kind])[] = [
  ['the embedded registry', () => new EmbeddedSubject(), {}],
  ['Consul, in memory', () => new FakeSubject(), { shared: true }],
  ['Consul, a real agent', () => new RealSubject(), { shared: true, real: true }],
  ['the catalog of a real Consul', () => new CatalogSubject(), { shared: true, real: true }],
];

describe.each(subjects)('%s', (_, subjectOf, { shared, real }) => {
  let subject: Subject;
  let registry: Registry;

  beforeAll(async () => {
    subject = subjectOf();
    await subject.start();
    registry = subject.registry(HOST);
  });

  const held = async () => (await lookupsAt(subject.port).instances('web'))[0]?.status;

  beforeEach(async () => {
    for (const { id } of await registry.list()) await registry.deregister(id);
  });

  afterAll(async () => {
    for (const client of clients.splice(0)) client.close();
    await subject.stop();
  });

  test('is ready', async () => {
    await expect(registry.ready()).resolves.toBeUndefined();
  });

  test('is empty, and says so', async () => {
    expect(await registry.list()).toEqual([]);
  });

  test.each<[string, Partial<Service>]>([
    ['with tags, Meta and weights', {}],
    ['without port and tags', { port: 0, tags: [], meta: {}, weights: DEFAULT_WEIGHTS }],
    ['at an IPv6 address', { address: 'fd00::1' }],
    ['at addresses of both families', { addresses: { ipv4: '10.2.1.1', ipv6: 'fd00::1' } }],
    ['at such addresses, without port', { addresses: { ipv4: '10.2.1.1', ipv6: 'fd00::1' }, port: 0 }],
    ['at a host name', { address: 'backend.example.com' }],
    ['of an odd id', { id: 'my-own:id@80+b' }],
    ['whose tags others may change', { enableTagOverride: true }],
    [
      'with as much Meta as Consul takes',
      { meta: Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, 'v'.repeat(512)])) },
    ],
  ])('gives back a service %s as it was registered', async (_, changes) => {
    const service = serviceOf(changes);
    await registry.register(service);
    expect(await registry.list()).toEqual([service]);
    expect(await registry.unsynced([service])).toEqual([]);
  });

  test('replaces what it has under the same id', async () => {
    await registry.register(serviceOf());
    const changed = serviceOf({ address: '10.2.1.2', tags: ['new'] });
    await registry.register(changed);
    expect(await registry.list()).toEqual([changed]);
  });

  test('drops the checks that a service no longer has', async () => {
    const check = { kind: 'ttl', ttl: '60s', id: 'c1', name: 'alive', status: 'critical' } as const;
    await registry.register(serviceOf({ checks: [check] }));
    await registry.register(serviceOf());
    if (shared) expect(await held()).toBe('passing');
  });

  describe('of checks that heddle tells', () => {
    const id = serviceOf().id;
    const told = (alive: CheckStatus, healthy: CheckStatus) =>
      serviceOf({
        checks: [
          { kind: 'ttl', ttl: '60s', id: `${id}~ttl`, name: 'alive', status: alive },
          { kind: 'healthcheck', ttl: '24h', id: `${id}~healthcheck`, name: 'healthy', status: healthy },
        ],
      });
    const heard = async () => Object.fromEntries(await registry.statuses());

    test('knows the status from the registration on', async () => {
      await registry.register(told('passing', 'warning'));
      expect(await heard()).toEqual({ [`${id}~ttl`]: 'passing', [`${id}~healthcheck`]: 'warning' });
      if (shared) expect(await held()).toBe('warning');
    });

    test('takes every other status', async () => {
      await registry.register(told('passing', 'warning'));
      for (const status of ['critical', 'passing', 'warning'] as const) {
        await registry.report(told('passing', status));
        expect(await heard()).toMatchObject({ [`${id}~healthcheck`]: status });
        if (shared) expect(await held()).toBe(status);
      }
    });

    test('forgets them with their service', async () => {
      await registry.register(told('passing', 'passing'));
      await registry.deregister(id);
      expect(await heard()).toEqual({});
    });
  });

  test('forgets what is deregistered, and takes that twice', async () => {
    await registry.register(serviceOf());
    await registry.deregister(serviceOf().id);
    await registry.deregister(serviceOf().id);
    await registry.deregister('never-there');
    expect(await registry.list()).toEqual([]);
  });

  test('is brought to what is desired, and kept there', async () => {
    const desired = new Desired({ log: silentLogger }, { hostId: HOST });
    const reconciler = new Reconciler({ registry, desired, log: silentLogger }, { onStop: 'deregister' });
    const run = (n: number, tags = '') =>
      desired.set(entryOf({ id: containerId(`${n}f`), env: { SERVICE_NAME: `s${n}`, SERVICE_TAGS: tags } }));
    const byId = (services: Iterable<Service>) => [...services].sort((a, b) => (a.id < b.id ? -1 : 1));
    const expectEqual = async () => expect(byId(await registry.list())).toEqual(byId(desired.services()));
    await registry.register(serviceOf());
    for (let n = 0; n < 20; n++) run(n);
    await reconciler.start();
    await reconciler.flush();
    await expectEqual();
    for (let n = 0; n < 10; n++) run(n, 'new');
    for (let n = 10; n < 20; n++) desired.delete(containerId(`${n}f`));
    await reconciler.flush();
    await expectEqual();
    await reconciler.stop();
    expect(await registry.list()).toEqual([]);
  });

  if (!shared) return;

  test('shows each host its own, and lets it remove no other', async () => {
    const other = subject.registry('h2');
    const theirs = serviceOf({ id: 'db', address: '10.2.1.9' }, 'h2');
    await other.register(theirs);
    expect(await registry.list()).toEqual([]);
    await registry.deregister('db');
    // On an agent, hosts can meet in one id; in the catalog each has a node of its own.
    const sameId = registry.register(serviceOf({ id: 'db' }));
    if (registry.checkedBy === 'agent') await expect(sameId).rejects.toMatchObject({ code: 'taken' });
    else await sameId;
    const foreign = await registry.foreign?.(['db', 'nobodys', serviceOf().id]);
    expect(foreign).toEqual(registry.checkedBy === 'agent' ? ['db'] : undefined);
    expect(await other.list()).toEqual([theirs]);
    await other.deregister('db');
  });

  test('has what an agent removed for its sick check back as critical, and what we removed anew', async () => {
    if (registry.checkedBy !== 'agent') return;
    const check = {
      id: 'c1',
      name: 'tcp',
      kind: 'tcp',
      target: '127.0.0.1:1',
      status: 'passing',
    } as const;
    const service = serviceOf({ checks: [{ ...check, interval: '1h', deregisterAfter: '10m' }] });
    await registry.register(service);
    await registry.register(service);
    expect(await held()).toBe('passing');
    const path = `/agent/service/deregister/${service.id}`;
    await clientAt(subject.port).put({ attempt: 'cannot reap', path });
    await registry.register(service);
    expect(await held()).toBe('critical');
    await registry.deregister(service.id);
    await registry.register(service);
    expect(await held()).toBe('passing');
  });

  test('calls back when somebody else changed what is ours, and not otherwise', async () => {
    await registry.register(serviceOf());
    const changed = vi.fn();
    const watching = registry.watch(changed);
    await delay(350);
    expect(changed).not.toHaveBeenCalled();
    await subject.registry(HOST).deregister(serviceOf().id);
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 3000 });
    watching.stop();
  });

  test('refuses bad Meta with Consul’s words', async () => {
    await expect(registry.register(serviceOf({ meta: { 'a.b': 'c' } }))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /cannot register web at consul:.* answered 4..: .*(Service Meta|metadata pair)/,
      ),
    });
  });

  test('shows what every host has under a name, and on which node', async () => {
    const lookups = lookupsAt(subject.port);
    await registry.register(serviceOf());
    const [found, ...others] = await lookups.instances('WEB');
    expect(others).toEqual([]);
    expect(found).toMatchObject({ service: serviceOf(), status: 'passing' });
    const expected = registry.checkedBy === 'heddle' ? '192.0.2.7' : '127.0.0.1';
    expect(found?.nodeAddress).toBe(expected);
    expect(await lookups.node(found?.node ?? '')).toMatchObject({ address: expected });
    expect(await lookups.instances('nobody')).toEqual([]);
    expect(await lookups.node('nobody')).toBeUndefined();
  });

  if (!real) return;

  test('leaves checks of others, and maintenance, where a service changes; of its own, only what it has is left', async () => {
    if (registry.checkedBy !== 'agent') return;
    const { id } = serviceOf();
    const ttl = (name: string) =>
      ({ kind: 'ttl', ttl: '1h', id: `${id}~${name}`, name, status: 'passing' }) as const;
    const put = (path: string, body: object = {}) =>
      clientAt(subject.port).put({ attempt: 'cannot', path, body });
    const checks = async () => {
      const path = '/agent/checks';
      const call = { attempt: 'cannot', path, query: { filter: `ServiceID == "${id}"` } };
      return [...(await clientAt(subject.port).get(call, readAgentChecks)).keys()].sort();
    };
    await registry.register(serviceOf({ checks: [ttl('one'), ttl('two')] }));
    await put(`/agent/service/maintenance/${id}?enable=true`);
    await put('/agent/check/register', { ID: 'disk', Name: 'disk', TTL: '1h', ServiceID: id });
    await registry.register(serviceOf({ tags: ['new'], checks: [ttl('two'), ttl('three')] }));
    const others = [`_service_maintenance:${id}`, 'disk'];
    expect(await checks()).toEqual([...others, `${id}~three`, `${id}~two`].sort());
    await put('/agent/check/deregister/disk');
    await put(`/agent/service/maintenance/${id}?enable=false`);
    await registry.register(serviceOf({ tags: ['newer'], checks: [ttl('three')] }));
    expect(await checks()).toEqual([`${id}~three`]);
  });

  test('tells whoever waits on its old name that a service has another, and keeps its check as it is', async () => {
    const lookups = lookupsAt(subject.port);
    const target = `127.0.0.1:${subject.port}`;
    const check = { kind: 'tcp', target, interval: '1s', id: `${serviceOf().id}~tcp`, name: 'up' } as const;
    await registry.register(serviceOf({ checks: [check] }));
    const statusOf = async (name: string) => (await lookups.instances(name)).map(({ status }) => status);
    const expected = registry.checkedBy === 'agent' ? 'passing' : 'critical';
    await vi.waitFor(async () => expect(await statusOf('web')).toEqual([expected]), { timeout: 5000 });
    const { index } = await lookups.changes('web', 0, AbortSignal.timeout(5000));
    const told = lookups.changes('web', index, AbortSignal.timeout(5000));
    await registry.register(serviceOf({ name: 'shop', checks: [check] }));
    expect(await statusOf('shop')).toEqual([expected]);
    expect((await told).value).toEqual([]);
    await registry.register(serviceOf({ name: 'shop', tags: ['new'], checks: [check] }));
    expect(await statusOf('shop')).toEqual([expected]);
  });

  test('keeps the tags that others gave, of the same container and where they may', async () => {
    const { agent } = subject as RealSubject;
    const open = { enableTagOverride: true, tags: ['ours'] };
    await registry.register(serviceOf(open));
    const retag = () => agent.retag('web', 'theirs');
    const seen = async () => (await lookupsAt(subject.port).instances('web'))[0]?.service;
    await retag();
    expect(await seen()).toMatchObject({ address: '10.2.1.1', tags: ['theirs'] });
    await registry.register(serviceOf({ ...open, address: '10.2.1.2' }));
    expect(await seen()).toMatchObject({ address: '10.2.1.2', tags: ['theirs'] });
    const successor = withOwnerMeta(serviceOf(open), HOST, containerId('abc'));
    await registry.register(successor);
    expect(await seen()).toMatchObject({ tags: ['ours'] });
    await retag();
    await registry.register(withOwnerMeta(serviceOf({ tags: ['ours'] }), HOST, containerId('abc')));
    expect(await seen()).toMatchObject({ tags: ['ours'] });
  });
});

describe('a real agent', () => {
  test('takes every kind of check that it is said to run', async () => {
    const agent = new ConsulAgent({ portOffset: 11_000, configuration: 'enable_script_checks = true' });
    await agent.start();
    const registry = consulAt(agent.httpPort, HOST);
    const web = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    try {
      expect(await registry.identity.read()).toMatchObject({
        address: '127.0.0.1',
        datacenter: 'dc1',
        version: '1.8.7',
      });
      const lookups = lookupsAt(agent.httpPort);
      const runs = (kind: CheckKind['kind']) => registry.runs(kind);
      expect((['http', 'tcp', 'grpc', 'script', 'docker'] as const).filter(runs)).toHaveLength(5);
      expect((['udp', 'h2ping'] as const).filter(runs)).toEqual([]);
      const kinds = ['HTTP', 'HTTPS', 'TCP', 'UDP', 'GRPC', 'H2PING', 'SCRIPT', 'CMD', 'DOCKER'];
      const env = {
        ...Object.fromEntries(kinds.map((kind) => [`SERVICE_81_CHECK_${kind}`, '/x'])),
        SERVICE_80_CHECK_TCP: 'true',
        SERVICE_CHECK_INTERVAL: '1s',
        SERVICE_CHECK_TIMEOUT: '1s',
        SERVICE_CHECK_DEREGISTER_AFTER: '10m',
        SERVICE_80_NAME: 'up',
        SERVICE_81_NAME: 'down',
      };
      const { port } = web.address() as AddressInfo;
      const entry = entryOf({ env, ip: '127.0.0.1', ports: [`80>${port}`, '81>1'], hostPorts: true });
      // This agent would follow a container's redirects.
      expect(registry.heddleRuns('http')).toBe(true);
      const heddleRuns = (kind: CheckKind['kind']) => registry.heddleRuns(kind);
      const checkBounds = { allowed: [parseCidr('127.0.0.0/8')] };
      const options = { hostId: HOST, runs, heddleRuns, allowScriptChecks: true, checkBounds };
      for (const { service } of define(entry, options).definitions) await registry.register(service);
      const checks = await agent.get<Record<string, unknown>>('/v1/agent/checks');
      expect(Object.keys(checks).map((id) => id.replace(/.*:/, ''))).toEqual([
        '80~tcp',
        ...['cmd', 'docker', 'grpc', 'http', 'https', 'script', 'tcp'].map((kind) => `81~${kind}`),
      ]);
      const types = Object.entries(checks as Record<string, { Type: string }>).map(
        ([id, { Type }]) => `${id.replace(/.*~/, '')} ${Type}`,
      );
      expect(types).toEqual(expect.arrayContaining(['http ttl', 'https ttl', 'tcp tcp']));
      const statusOf = async (name: string) => (await lookups.instances(name)).map(({ status }) => status);
      await vi.waitFor(async () => expect(await statusOf('up')).toEqual(['passing']), { timeout: 10_000 });
      expect(await statusOf('down')).toEqual(['critical']);
    } finally {
      web.close();
      await agent.stop();
    }
  });

  test.each([
    ['without its data', false],
    ['with its data', true],
  ])(
    'is told the health of containers: at once, when it changes, and after a restart %s',
    async (_, kept) => {
      await using folder = await temporaryFolder();
      const mode = ['-server', '-bootstrap-expect=1', `-data-dir=${folder.path}`];
      const agent = new ConsulAgent({ portOffset: 11_000, ...(kept && { mode }) });
      await agent.start();
      const registry = consulAt(agent.httpPort, HOST);
      const desired = new Desired(
        { log: silentLogger },
        { hostId: HOST, runs: (kind) => registry.runs(kind) },
      );
      const reconciler = new Reconciler({ registry, desired, log: silentLogger });
      const heartbeats = new Heartbeats({ desired, beat: (id) => reconciler.keepAlive(id) });
      const run = (health: Health) =>
        desired.set(entryOf({ health, env: { SERVICE_NAME: 'web', SERVICE_CHECK_TTL: '2s' } }));
      const says = async (expected: string) =>
        expect((await lookupsAt(agent.httpPort).instances('web')).map(({ status }) => status)).toEqual([
          expected,
        ]);
      try {
        heartbeats.start();
        await reconciler.start();
        run('starting');
        await reconciler.flush();
        await says('warning');
        run('healthy');
        await reconciler.flush();
        await says('passing');
        // Longer than the TTL: only heartbeats can have kept it.
        await delay(3000);
        await says('passing');
        run('unhealthy');
        await reconciler.flush();
        await says('critical');
        run('healthy');
        await reconciler.flush();
        await agent.wipe();
        await vi.waitFor(() => says('passing'), { timeout: 5000 });
        expect(reconciler.status().errors.size).toBe(0);
      } finally {
        await heartbeats.stop();
        await reconciler.stop();
        await agent.stop();
      }
    },
  );
});

describe('a real agent that denies by default', () => {
  const agent = new ConsulAgent({ portOffset: 11_000, configuration: DENIES_BY_DEFAULT });
  const tokenOf = async (rules: string) => (await createToken(agent, rules)).secret;
  const clientWith = (token: string) => {
    const uri = { kind: 'consul', host: '127.0.0.1', port: agent.httpPort, tls: false } as const;
    const client = new ConsulClient(uri, { token });
    clients.push(client);
    return client;
  };
  const registryWith = (token: string) => new ConsulRegistry(clientWith(token), { hostId: HOST });

  beforeAll(() => agent.start());

  afterAll(async () => {
    for (const client of clients.splice(0)) client.close();
    await agent.stop();
  });

  test.each(['agent', 'catalog'] as const)(
    'is content with the documented policy: %s',
    async (consulMode) => {
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
    },
  );

  test('refuses to let an agent’s token write the catalog, and says what it needs', async () => {
    const consulToken = await tokenOf(TOKEN_POLICY);
    const settings = { ...PLAIN, registry: parseRegistryUri(agent.uri), consulToken };
    const open = openRegistry({ ...settings, consulMode: 'catalog' }, { hostId: HOST, log: silentLogger });
    await expect(open.registry.register(serviceOf())).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(CATALOG_TOKEN_POLICY),
    });
    await open.stop();
  });

  test('takes no empty list for truth under a token that may not read, or may no longer', async () => {
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
  ])('has no name, node or service taken for absent under a token that may read %s', async (_, rules) => {
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
      'changes that were waited for': () => lookups.changes('nobody', index, signal),
      node: () => lookups.node('nobody'),
      unsynced: () => registry.unsynced([serviceOf()]),
      'unsynced of nothing': () => registry.unsynced([]),
      'what a host has left': () => removeLeftovers(clientWith(token.secret), HOST, { dryRun: true }),
    };
    for (const [what, ask] of Object.entries(asked)) {
      await expect(ask(), what).rejects.toMatchObject(refusal);
    }
  });

  test('says in catalog mode as well that the nodes of others are hidden', async () => {
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

  test('refuses the writes of a token that may only read, and says what it needs', async () => {
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

describe('a real agent over TLS', () => {
  const says = (message: RegExp) => ({ code: 'unreachable', message: expect.stringMatching(message) });
  const unknown = says(/: Consul's certificate is not signed by a known authority: set --consul-ca$/);
  const anonymous = says(/: Consul requires a client certificate: set --consul-cert and --consul-key$/);

  test('is known by its authority, and knows heddle by its certificate', async () => {
    await using folder = await temporaryFolder();
    const { ca, cert, key } = makeCertificates(folder.path);
    const configuration = `ports { https = 19501 }
      ca_file = "${ca}" cert_file = "${cert}" key_file = "${key}" verify_incoming = true`;
    await using agent = new ConsulAgent({ portOffset: 11_000, configuration });
    await agent.start();
    const settings = { ...PLAIN, registry: parseRegistryUri('consul-tls://127.0.0.1:19501') };
    const registryWith = (files: Partial<RegistrySettings>) => {
      const open = openRegistry({ ...settings, ...files }, { hostId: HOST, log: silentLogger });
      opened.push(open);
      return open.registry;
    };
    const opened: OpenRegistry[] = [];
    const ours = { consulCert: cert, consulKey: key };
    await expect(registryWith({}).ready()).rejects.toMatchObject(unknown);
    await expect(registryWith(ours).ready()).rejects.toMatchObject(unknown);
    await expect(registryWith({ consulCa: ca }).ready()).rejects.toMatchObject(anonymous);
    await expect(registryWith({ consulVerify: false, ...ours }).ready()).resolves.toBeUndefined();
    const registry = registryWith({ consulCa: ca, ...ours });
    await registry.register(serviceOf());
    expect(await registry.list()).toEqual([serviceOf()]);
    for (const open of opened) await open.stop();
  });
});

test('a real agent on a unix socket is written to', async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/consul.sock`;
  await using agent = new ConsulAgent({
    portOffset: 11_000,
    configuration: `addresses { http = "127.0.0.1 unix://${path}" }`,
  });
  await agent.start();
  const registry = parseRegistryUri(`consul-unix://${path}`);
  const open = openRegistry({ ...PLAIN, registry }, { hostId: HOST, log: silentLogger });
  await open.registry.register(serviceOf());
  expect(await open.registry.list()).toEqual([serviceOf()]);
  await open.stop();
});

test('a namespace is asked for, and Consul without Enterprise says that it has none', async () => {
  await using agent = new ConsulAgent({ portOffset: 11_000 });
  await agent.start();
  const settings = { ...PLAIN, registry: parseRegistryUri(agent.uri), consulNamespace: 'team' };
  const open = openRegistry(settings, { hostId: HOST, log: silentLogger });
  await expect(open.registry.register(serviceOf())).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('amespace'),
  });
  await open.stop();
});

/** An authority, and a certificate for 127.0.0.1 that it signed, good for both ends. */
function makeCertificates(folder: string): { ca: string; cert: string; key: string } {
  const at = (name: string) => `${folder}/${name}`;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...newKey, '-subj', '/CN=authority', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  openssl(
    'req',
    ...newKey.slice(0, -2),
    '-subj',
    '/CN=consul',
    '-keyout',
    at('key.pem'),
    '-out',
    at('request'),
  );
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1\n');
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', at('request'), ...signing, '-extfile', at('names'), '-out', at('cert.pem'));
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') };
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import nock from 'nock';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConsulRegistry } from '../../../src/registry/consul/agent-registry.ts';
import { ConsulClient } from '../../../src/registry/consul/api/client.ts';
import { TOKEN_POLICY } from '../../../src/registry/consul/api/errors.ts';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import { Reconciler } from '../../../src/registry/reconcile/reconciler.ts';
import { parseRegistryUri } from '../../../src/registry/uri.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import type { Service } from '../../../src/services/service.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeConsul } from '../../support/fake-consul.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { entryOf } from '../../support/roster.ts';

const service: Service = {
  id: 'heddle:h1:c0ffee000000:80',
  name: 'web',
  tags: [],
  address: '10.2.1.1',
  port: 80,
  meta: {},
  checks: [],
  weights: { passing: 10, warning: 3 },
};

const SELF = {
  Config: { NodeName: 'n1', Datacenter: 'dc1', Version: '1.8.7' },
  Member: { Addr: '192.0.2.1' },
};

function registryAt(
  uri: string,
  options: ConstructorParameters<typeof ConsulClient>[1] = {},
  watchEvery = 2000,
): ConsulRegistry {
  const parsed = parseRegistryUri(uri);
  if (parsed.kind === 'embedded') throw new Error('not Consul');
  return new ConsulRegistry(new ConsulClient(parsed, options), { hostId: 'h1', watchEvery });
}

describe('an answer of Consul', () => {
  const consul = nock('http://consul.test:8500');
  const registry = registryAt('consul://consul.test:8500', { token: 's3cret', timeout: 500 });
  const register = () => registry.register(service);

  beforeEach(() => {
    nock.disableNetConnect();
    // A registration over an existing service first reads its checks, for foreign ones.
    consul.get('/v1/agent/checks').query(true).optionally().reply(200, {});
  });
  afterEach(() => nock.cleanAll());
  afterAll(() => {
    nock.enableNetConnect();
    nock.restore();
  });

  const answers = (status: number, body: string, headers = {}) =>
    consul.put(/agent\/service\/register/).reply(status, body, headers);

  test('follows a registration with every field', async () => {
    const sent: unknown[] = [];
    // The reads before a registration are optional: whether Consul removed the service, and its current tags.
    consul.get('/v1/agent/self').twice().reply(403, 'Permission denied');
    consul
      .put('/v1/agent/service/register', (body) => sent.push(body) > 0)
      .query({ 'replace-existing-checks': 'true' })
      .matchHeader('x-consul-token', 's3cret')
      .reply(200);
    await registry.register({
      ...service,
      addresses: { ipv4: '10.2.1.1', ipv6: 'fd00::1' },
      enableTagOverride: true,
      checks: [
        {
          kind: 'http',
          id: 'c',
          name: 'up',
          url: 'http://10.2.1.1/',
          interval: '10s',
          deregisterAfter: '1m',
        },
      ],
    });
    expect(sent).toEqual([
      {
        ID: service.id,
        Name: 'web',
        Tags: [],
        Address: '10.2.1.1',
        TaggedAddresses: {
          lan_ipv4: { Address: '10.2.1.1', Port: 80 },
          lan_ipv6: { Address: 'fd00::1', Port: 80 },
        },
        Port: 80,
        Meta: {},
        Weights: { Passing: 10, Warning: 3 },
        EnableTagOverride: true,
        Checks: [
          {
            CheckID: 'c',
            Name: 'up',
            Interval: '10s',
            DeregisterCriticalServiceAfter: '1m',
            HTTP: 'http://10.2.1.1/',
            DisableRedirects: true,
          },
        ],
      },
    ]);
  });

  test('with status 403 is refused, and the message names the policy that the token needs', async () => {
    answers(403, 'Permission denied', { 'content-type': 'text/plain' });
    await expect(register()).rejects.toMatchObject({
      code: 'refused',
      message:
        'cannot register web at consul://consul.test:8500: Consul answered 403: Permission denied; the token ' +
        `(CONSUL_HTTP_TOKEN) needs the policy ${TOKEN_POLICY}`,
    });
  });

  test.each([
    [
      400,
      'Invalid Service Meta: Key contains invalid characters and a sentence that is longer than eighty characters',
    ],
    [500, 'Scripts are disabled on this agent; to enable, configure enable_script_checks'],
    [413, 'too large'],
  ])('with status %i is refused with its message: %s', async (status, text) => {
    answers(status, text, { 'content-type': 'text/plain' });
    const message = expect.stringContaining(`Consul answered ${status}: ${text}`);
    await expect(register()).rejects.toMatchObject({ code: 'refused', message });
  });

  test.each([
    [500, 'No cluster leader'],
    [500, 'rpc error getting client: failed to get conn'],
    [429, ''],
    [503, 'busy'],
  ])('with status %i and %j is worth a retry', async (status, text) => {
    answers(status, text, { 'content-type': 'text/plain' });
    await expect(register()).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('that does not come in time is worth a retry', async () => {
    consul
      .put(/register/)
      .delay(2000)
      .reply(200);
    await expect(register()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('request timed out (500ms)'),
    });
  });

  test('that is cut off is worth a retry', async () => {
    consul
      .put(/register/)
      .replyWithError(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    await expect(register()).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('without a leader means not ready', async () => {
    consul.get('/v1/status/leader').reply(200, '""', { 'content-type': 'application/json' });
    await expect(registry.ready()).rejects.toMatchObject({
      code: 'unreachable',
      message: 'consul://consul.test:8500 has no leader; its servers have no quorum',
    });
  });

  test('with an empty list is refused without proof that the token may read', async () => {
    consul.get('/v1/agent/self').reply(403, 'Permission denied');
    consul.get(/agent\/services/).reply(200, {});
    consul.get('/v1/catalog/services').reply(200, {});
    consul.get('/v1/acl/token/self').reply(403, 'ACL not found');
    await expect(registry.list()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('shows this token no services, not even its own'),
    });
  });

  test('that lacks a service in the catalog, or has other content, makes it unsynced', async () => {
    const held = (id: string, hash: string) => ({ ...service, id, meta: { 'heddle-hash': hash } });
    consul.get('/v1/health/service/consul').reply(200, [{}]);
    consul.get('/v1/agent/self').reply(200, SELF);
    const entry = (ID: string, hash: string, Address = '10.2.1.1') => ({
      ...{ ID, Service: 'web', Address, Port: 80, Weights: { Passing: 10, Warning: 3 } },
      Meta: { 'heddle-hash': hash },
    });
    consul.get(/catalog\/node\/n1/).reply(200, {
      Services: { a: entry('a', '1'), b: entry('b', 'old'), d: entry('d', '4', '10.9.9.9') },
    });
    const listed = [held('a', '1'), held('b', '2'), held('c', '3'), held('d', '4')];
    expect(await registry.unsynced(listed)).toEqual(['b', 'c', 'd']);
  });

  test('that hides even the servers is not compared', async () => {
    consul.get('/v1/health/service/consul').reply(200, []);
    consul.get('/v1/acl/token/self').reply(200, {});
    await expect(registry.unsynced([service])).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('shows this token no service on any node, not even its own'),
    });
  });

  test('is not awaited after the caller aborted', async () => {
    consul.get('/v1/status/leader').delay(2000).reply(200, '"x"');
    const abort = new AbortController();
    const asked = registry.ready(abort.signal);
    abort.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    await expect(registry.ready(abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a Consul', () => {
  beforeEach(() => nock.enableNetConnect());

  test('is reached at an IPv6 address', async () => {
    const fake = await FakeConsul.start({ host: '::1' });
    await expect(registryAt(`consul://[::1]:${fake.port}`).ready()).resolves.toBeUndefined();
    await fake.stop();
  });

  test('is reached on a unix socket, with the token', async () => {
    await using folder = await temporaryFolder();
    const fake = await FakeConsul.start({ path: `${folder.path}/consul.sock` });
    const registry = registryAt(`consul-unix://${folder.path}/consul.sock`, { token: 's3cret' });
    await registry.register(service);
    expect(fake.requests).toEqual(['PUT /v1/agent/service/register']);
    expect(fake.lastHeaders['x-consul-token']).toBe('s3cret');
    await fake.stop();
  });

  test('that dies in the middle of an answer is unreachable at once', async () => {
    const dying = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('"10.', () => response.destroy());
    }).listen(0, '127.0.0.1');
    await once(dying, 'listening');
    const { port } = dying.address() as AddressInfo;
    await expect(registryAt(`consul://127.0.0.1:${port}`, { timeout: 60_000 }).ready()).rejects.toMatchObject(
      {
        code: 'unreachable',
        message: expect.stringContaining('the connection closed in the middle of the answer'),
      },
    );
    dying.close();
  });

  test('that lost its data gets every service as new, also one that it may remove', async () => {
    const fake = await FakeConsul.start();
    const registry = registryAt(`consul://127.0.0.1:${fake.port}`);
    const check = { id: 'c1', name: 'tcp', kind: 'tcp', target: '127.0.0.1:1', status: 'passing' } as const;
    const reapable = { ...service, checks: [{ ...check, deregisterAfter: '10m' }] };
    const status = async () => {
      const answer = await fetch(`http://127.0.0.1:${fake.port}/v1/health/service/${service.name}`);
      const [found] = (await answer.json()) as [{ Checks: [{ Status: string }] }];
      return found.Checks[0].Status;
    };
    await registry.register(reapable);
    fake.wipe();
    await registry.register(reapable);
    expect(await status()).toBe('critical');
    fake.wipe();
    const self = { Config: { NodeID: 'another', NodeName: 'n1', Datacenter: 'dc1', Version: '1.8.7' } };
    fake.overrides.set('GET /v1/agent/self', { status: 200, body: self });
    await registry.register(reapable);
    expect(await status()).toBe('passing');
    await fake.stop();
  });

  test('is asked for all services only when the index of the catalog changed', async () => {
    const fake = await FakeConsul.start();
    const lists = () => fake.requests.filter((request) => request === 'GET /v1/agent/services').length;
    const looks = () => fake.requests.filter((request) => request === 'GET /v1/status/leader').length;
    const registry = registryAt(`consul://127.0.0.1:${fake.port}`, {}, 5);
    let changes = 0;
    const watching = registry.watch(() => changes++);
    await eventually(() => expect(looks()).toBeGreaterThan(5));
    expect(lists()).toBe(1);
    fake.wipe();
    await eventually(() => expect(lists()).toBe(2));
    fake.overrides.set('GET /v1/health/node/n1', { status: 403, body: 'Permission denied' });
    await eventually(() => expect(lists()).toBeGreaterThan(5));
    expect(changes).toBe(0);
    watching.stop();
    await fake.stop();
  });

  test('that stores one address per service does not get the other one again and again', async () => {
    const fake = await FakeConsul.start();
    fake.keepsFamilies = false;
    const registry = registryAt(`consul://127.0.0.1:${fake.port}`);
    const desired = new Desired({ log: silentLogger }, { hostId: 'h1' });
    const reconciler = new Reconciler({ registry, desired, log: silentLogger });
    desired.set(entryOf({ ipv6: 'fd00::1' }));
    await reconciler.start();
    for (let pass = 0; pass < 3; pass++) {
      await reconciler.recheck();
      await reconciler.flush();
    }
    expect(await registry.list()).toMatchObject([{ address: '10.2.1.1' }]);
    expect(fake.requests.filter((request) => request === 'PUT /v1/agent/service/register')).toHaveLength(1);
    await reconciler.stop();
    await fake.stop();
  });

  test('that does not run is unreachable, and the message names its address', async () => {
    await expect(registryAt('consul://127.0.0.1:1').ready()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(
        /^cannot read the leader at consul:\/\/127.0.0.1:1: .*ECONNREFUSED.*running there\?$/,
      ),
    });
  });
});

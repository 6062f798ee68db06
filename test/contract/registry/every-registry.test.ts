import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readAgentChecks } from '../../../src/registry/consul/api/answers.ts';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import { Reconciler } from '../../../src/registry/reconcile/reconciler.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { withOwnerMeta } from '../../../src/services/naming/identity.ts';
import { type CheckStatus, DEFAULT_WEIGHTS, type Service } from '../../../src/services/service.ts';
import { entryOf } from '../../support/roster.ts';
import { containerId } from '../../support/snapshot.ts';
import {
  clientAt,
  closeClients,
  HOST,
  lookupsAt,
  type RealSubject,
  type Subject,
  serviceOf,
  subjects,
} from './subjects.ts';

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
    closeClients();
    await subject.stop();
  });

  test('is ready', async () => {
    await expect(registry.ready()).resolves.toBeUndefined();
  });

  test('lists nothing while it is empty', async () => {
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
  ])('lists a service %s as it was registered', async (_, changes) => {
    const service = serviceOf(changes);
    await registry.register(service);
    expect(await registry.list()).toEqual([service]);
    expect(await registry.unsynced([service])).toEqual([]);
  });

  test('replaces the service under the same id', async () => {
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

  describe('with reported checks', () => {
    const id = serviceOf().id;
    const withStatuses = (alive: CheckStatus, healthy: CheckStatus) =>
      serviceOf({
        checks: [
          { kind: 'ttl', ttl: '60s', id: `${id}~ttl`, name: 'alive', status: alive },
          { kind: 'healthcheck', ttl: '24h', id: `${id}~healthcheck`, name: 'healthy', status: healthy },
        ],
      });
    const reported = async () => Object.fromEntries(await registry.statuses());

    test('holds the status from the registration on', async () => {
      await registry.register(withStatuses('passing', 'warning'));
      expect(await reported()).toEqual({ [`${id}~ttl`]: 'passing', [`${id}~healthcheck`]: 'warning' });
      if (shared) expect(await held()).toBe('warning');
    });

    test('accepts every changed status', async () => {
      await registry.register(withStatuses('passing', 'warning'));
      for (const status of ['critical', 'passing', 'warning'] as const) {
        await registry.report(withStatuses('passing', status));
        expect(await reported()).toMatchObject({ [`${id}~healthcheck`]: status });
        if (shared) expect(await held()).toBe(status);
      }
    });

    test('removes them with their service', async () => {
      await registry.register(withStatuses('passing', 'passing'));
      await registry.deregister(id);
      expect(await reported()).toEqual({});
    });
  });

  test('removes a service, and accepts a second removal', async () => {
    await registry.register(serviceOf());
    await registry.deregister(serviceOf().id);
    await registry.deregister(serviceOf().id);
    await registry.deregister('never-there');
    expect(await registry.list()).toEqual([]);
  });

  test('is brought to desired state and kept there', async () => {
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

  test('lists only the services of this host, and lets it remove no others', async () => {
    const other = subject.registry('h2');
    const theirs = serviceOf({ id: 'db', address: '10.2.1.9' }, 'h2');
    await other.register(theirs);
    expect(await registry.list()).toEqual([]);
    await registry.deregister('db');
    // Hosts can use the same id on one agent; in the catalog each host has a node of its own.
    const sameId = registry.register(serviceOf({ id: 'db' }));
    if (registry.checkedBy === 'agent') await expect(sameId).rejects.toMatchObject({ code: 'taken' });
    else await sameId;
    const foreign = await registry.foreign?.(['db', 'nobodys', serviceOf().id]);
    expect(foreign).toEqual(registry.checkedBy === 'agent' ? ['db'] : undefined);
    expect(await other.list()).toEqual([theirs]);
    await other.deregister('db');
  });

  test('registers a service as critical after the agent removed it for a failed check, and as new after we removed it', async () => {
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
    await clientAt(subject.port).put({ attempt: 'cannot remove', path });
    await registry.register(service);
    expect(await held()).toBe('critical');
    await registry.deregister(service.id);
    await registry.register(service);
    expect(await held()).toBe('passing');
  });

  test('calls back when another client changed our services, and only then', async () => {
    await registry.register(serviceOf());
    const changed = vi.fn();
    const watching = registry.watch(changed);
    await delay(350);
    expect(changed).not.toHaveBeenCalled();
    await subject.registry(HOST).deregister(serviceOf().id);
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 3000 });
    watching.stop();
  });

  test('rejects bad Meta with Consul’s message', async () => {
    await expect(registry.register(serviceOf({ meta: { 'a.b': 'c' } }))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /cannot register web at consul:.* answered 4..: .*(Service Meta|metadata pair)/,
      ),
    });
  });

  test('looks up the instances of all hosts under a name, and their nodes', async () => {
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

  test('keeps foreign checks and maintenance when a service changes, and removes stale checks of the service', async () => {
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

  test('wakes blocking queries on the old name of a renamed service, and keeps the status of its check', async () => {
    const lookups = lookupsAt(subject.port);
    const target = `127.0.0.1:${subject.port}`;
    const check = { kind: 'tcp', target, interval: '1s', id: `${serviceOf().id}~tcp`, name: 'up' } as const;
    await registry.register(serviceOf({ checks: [check] }));
    const statusOf = async (name: string) => (await lookups.instances(name)).map(({ status }) => status);
    const expected = registry.checkedBy === 'agent' ? 'passing' : 'critical';
    await vi.waitFor(async () => expect(await statusOf('web')).toEqual([expected]), { timeout: 5000 });
    const { index } = await lookups.changes('web', 0, AbortSignal.timeout(5000));
    const change = lookups.changes('web', index, AbortSignal.timeout(5000));
    await registry.register(serviceOf({ name: 'shop', checks: [check] }));
    expect(await statusOf('shop')).toEqual([expected]);
    expect((await change).value).toEqual([]);
    await registry.register(serviceOf({ name: 'shop', tags: ['new'], checks: [check] }));
    expect(await statusOf('shop')).toEqual([expected]);
  });

  test('keeps tags set by others for the same container, if EnableTagOverride allows them', async () => {
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

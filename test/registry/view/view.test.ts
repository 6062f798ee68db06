import { beforeEach, describe, expect, test } from 'vitest';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import type { Instance, InstanceHealth, NodeEntry, NodeHealth } from '../../../src/registry/registry.ts';
import { RemoteNames } from '../../../src/registry/view/remote-names.ts';
import { RegistryView } from '../../../src/registry/view/view.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { withOwnerMeta } from '../../../src/services/naming/identity.ts';
import type { Check, CheckStatus, Service } from '../../../src/services/service.ts';
import { entryOf } from '../../support/roster.ts';
import { unreachable } from '../../support/shaky-registry.ts';
import { containerId } from '../../support/snapshot.ts';

const node = () => ({ name: 'here', address: '192.0.2.1', meta: { rack: 'r1' } });
const there: NodeEntry = { address: '192.0.2.9', meta: { rack: 'r2' } };
const alive: Check = { kind: 'http', url: 'http://10.2.1.1/', id: 'c', name: 'alive' };
const healthy = (status: CheckStatus): Check => ({
  kind: 'healthcheck',
  ttl: '1h',
  id: 'h',
  name: 'healthy',
  status,
});

const instance = (
  ip: string,
  host: string,
  changes: Partial<Instance> = {},
  checks: Check[] = [],
): Instance => ({
  service: withOwnerMeta(
    {
      id: `heddle:${host}:${ip}:80`,
      name: 'web',
      tags: [],
      address: ip,
      port: 80,
      meta: {},
      checks,
      weights: { passing: 1, warning: 1 },
    },
    host,
    containerId('a'),
  ),
  node: `node-${host}`,
  nodeAddress: '192.0.2.2',
  status: 'passing',
  ...unwellAs(changes.status),
  ...changes,
});

/** A check that does not pass, as Consul reports it. */
function unwellAs(status: CheckStatus = 'passing'): Pick<InstanceHealth, 'unwell'> {
  return status === 'passing' ? {} : { unwell: [{ id: alive.id, name: alive.name, status }] };
}

const addresses = async (found: readonly Instance[] | Promise<readonly Instance[]>) =>
  (await found).map(({ service, node: on, status }) => `${service.address} ${on} ${status}`);

describe('with the embedded registry', () => {
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1' });
  const view = new RegistryView(
    { desired, rejected: (id) => id.includes('0bad'), node, checkedBy: 'heddle' },
    { hostId: 'h1' },
  );
  const run = (name: string, ip: string) =>
    desired.set(entryOf({ id: containerId(name), ip, env: { SERVICE_NAME: 'Web' } }));

  test('names of this host are answered at once, in any case', () => {
    run('a', '10.2.1.1');
    const found = view.instances('WEB');
    expect(found).toMatchObject([{ node: 'here', nodeAddress: '192.0.2.1', status: 'passing' }]);
    expect(view.instances('nobody')).toEqual([]);
    expect(view.node('HERE')).toMatchObject({ address: '192.0.2.1', meta: { rack: 'r1' } });
    expect(view.node('there')).toBeUndefined();
    expect(view.byAddress('10.2.1.1')).toMatchObject([{ service: { name: 'web' } }]);
  });

  test('a rejected service is not answered', () => {
    run('0bad', '10.2.1.2');
    expect(view.instances('web')).toHaveLength(1);
    expect(view.byAddress('10.2.1.2')).toEqual([]);
  });
});

describe('with a registry that many hosts share', () => {
  let here: Service[];
  let elsewhere: Instance[];
  let away: boolean;
  let hangs: boolean;
  let found: NodeHealth | undefined;
  const well = { status: 'passing' } as const;
  const ill = (status: CheckStatus) => ({ status, ...unwellAs(status) });
  let view: RegistryView;

  beforeEach(() => {
    here = [];
    elsewhere = [];
    away = hangs = false;
    found = undefined;
    const answer = <T>(value: T): Promise<T> => {
      if (hangs) return new Promise(() => {});
      return away ? Promise.reject(unreachable()) : Promise.resolve(value);
    };
    const registry = {
      instances: () => answer(elsewhere),
      node: (name: string) => answer(name === 'there' ? there : undefined),
    };
    view = new RegistryView(
      {
        desired: { byName: () => here, byAddress: () => here },
        rejected: () => false,
        checkedBy: 'agent',
        nodeHealth: () => found,
        node,
        remote: new RemoteNames({ lookups: registry }, { freshFor: 0 }),
      },
      { hostId: 'h1' },
    );
  });

  test('a name has the instances of this host and of others', async () => {
    here = [instance('10.2.1.1', 'h1').service];
    elsewhere = [instance('10.2.2.1', 'h2')];
    expect(await addresses(view.instances('web'))).toEqual([
      '10.2.1.1 here passing',
      '10.2.2.1 node-h2 passing',
    ]);
  });

  test('stale entries of this host in the registry do not count', async () => {
    elsewhere = [instance('10.2.1.1', 'h1'), instance('10.2.2.1', 'h2', { status: 'critical' })];
    expect(await addresses(view.instances('web'))).toEqual(['10.2.2.1 node-h2 critical']);
  });

  test('an instance with checks has the status from the registry that runs them, and is unknown until then', async () => {
    here = [instance('10.2.1.1', 'h1', {}, [alive]).service];
    expect(await addresses(view.instances('web'))).toEqual([]);
    elsewhere = [instance('10.2.1.1', 'h1', { status: 'warning' })];
    expect(await addresses(view.instances('web'))).toEqual(['10.2.1.1 here warning']);
  });

  test('the watched health of the node counts more than the instances seen under the name', async () => {
    const { service } = instance('10.2.1.1', 'h1', {}, [alive]);
    here = [service];
    elsewhere = [instance('10.2.1.1', 'h1')];
    found = { services: new Map([[service.id, ill('critical')]]), node: well };
    expect(await addresses(view.instances('web'))).toEqual(['10.2.1.1 here critical']);
    expect(await addresses(view.byAddress('10.2.1.1'))).toEqual(['10.2.1.1 here critical']);
    away = true;
    expect(await addresses(view.instances('web'))).toEqual(['10.2.1.1 here critical']);
    found = { services: new Map(), node: well };
    expect(await addresses(view.byAddress('10.2.1.1'))).toEqual([]);
  });

  test('maintenance of a service or its node also removes services without checks, until it ends', async () => {
    const { service } = instance('10.2.1.1', 'h1');
    const other = instance('10.2.1.2', 'h1', {}, [healthy('passing')]).service;
    here = [service, other];
    const maintained = (id: string): InstanceHealth => ({
      status: 'critical',
      unwell: [{ id, name: 'Service Maintenance Mode', status: 'critical' }],
    });
    found = {
      services: new Map([[service.id, maintained(`_service_maintenance:${service.id}`)]]),
      node: well,
    };
    expect(await addresses(view.instances('web'))).toEqual([
      '10.2.1.1 here critical',
      '10.2.1.2 here passing',
    ]);
    expect((await view.instances('web'))[0]?.unwell).toMatchObject([{ name: 'Service Maintenance Mode' }]);
    found = { services: new Map(), node: maintained('_node_maintenance') };
    expect(await addresses(view.byAddress('x'))).toEqual([
      '10.2.1.1 here critical',
      '10.2.1.2 here critical',
    ]);
    found = { services: new Map(), node: well };
    expect(await addresses(view.instances('web'))).toEqual([
      '10.2.1.1 here passing',
      '10.2.1.2 here passing',
    ]);
  });

  test('a stale status in Consul of a reported check does not remove its service', async () => {
    const { service } = instance('10.2.1.1', 'h1', {}, [healthy('passing')]);
    here = [service];
    const stale = { status: 'critical', unwell: [{ id: 'h', name: 'healthy', status: 'critical' }] } as const;
    found = { services: new Map([[service.id, stale]]), node: well };
    expect(await addresses(view.instances('web'))).toEqual(['10.2.1.1 here passing']);
  });

  test.each<[CheckStatus, CheckStatus | undefined, string[]]>([
    ['warning', undefined, ['10.2.1.1 here warning']],
    ['critical', 'passing', ['10.2.1.1 here critical']],
    ['passing', 'critical', ['10.2.1.1 here passing']],
  ])(
    'a check reported by heddle counts at once: %s, despite a stale status in the registry: %s',
    async (own, stale, expected) => {
      here = [instance('10.2.1.1', 'h1', {}, [healthy(own)]).service];
      elsewhere = stale === undefined ? [] : [instance('10.2.1.1', 'h1', { status: stale })];
      expect(await addresses(view.instances('web'))).toEqual(expected);
    },
  );

  test("the worst of the reported and the agent's results counts", async () => {
    here = [instance('10.2.1.1', 'h1', {}, [alive, healthy('critical')]).service];
    elsewhere = [instance('10.2.1.1', 'h1', { status: 'passing' })];
    expect(await addresses(view.instances('web'))).toEqual(['10.2.1.1 here critical']);
    here = [instance('10.2.1.1', 'h1', {}, [alive, healthy('passing')]).service];
    elsewhere = [instance('10.2.1.1', 'h1', { status: 'critical' })];
    expect(await addresses(view.instances('web'))).toEqual(['10.2.1.1 here critical']);
  });

  test('tags come from the registry if others may change them, otherwise from the service', async () => {
    const { service } = instance('10.2.1.1', 'h1');
    const tagsOf = async () => (await view.instances('web')).map(({ service: { tags } }) => tags);
    here = [{ ...service, tags: ['ours'], enableTagOverride: true }];
    expect(await tagsOf()).toEqual([['ours']]);
    elsewhere = [{ ...instance('10.2.1.1', 'h1'), service: { ...service, tags: ['theirs'] } }];
    expect(await tagsOf()).toEqual([['theirs']]);
    here = [{ ...service, tags: ['ours'] }];
    expect(await tagsOf()).toEqual([['ours']]);
  });

  test("checks that do not pass are listed: ours with heddle's status, others with the registry's", async () => {
    const own = { id: healthy('critical').id, name: healthy('critical').name };
    const seen = [
      { ...own, status: 'warning' },
      { id: alive.id, name: alive.name, status: 'critical' },
    ] as const;
    here = [instance('10.2.1.1', 'h1', {}, [alive, healthy('critical')]).service];
    elsewhere = [{ ...instance('10.2.1.1', 'h1', { status: 'critical' }), unwell: seen }];
    const [ill] = await view.instances('web');
    expect(ill?.unwell).toEqual([{ ...own, status: 'critical' }, seen[1]]);
    here = [instance('10.2.1.1', 'h1', {}, [healthy('passing')]).service];
    const [well] = await view.instances('web');
    expect(well).not.toHaveProperty('unwell');
  });

  test("while it hangs, this host's instances are answered, and the last known ones of others", async () => {
    here = [instance('10.2.1.1', 'h1').service];
    elsewhere = [instance('10.2.2.1', 'h2')];
    await view.instances('web');
    hangs = true;
    expect(await addresses(view.instances('web'))).toEqual([
      '10.2.1.1 here passing',
      '10.2.2.1 node-h2 passing',
    ]);
    here = [instance('10.2.1.2', 'h1').service];
    expect(await addresses(view.instances('shop'))).toEqual(['10.2.1.2 here passing']);
  });

  test('while it is unreachable, other hosts have their last known instances', async () => {
    here = [instance('10.2.1.1', 'h1').service];
    elsewhere = [instance('10.2.2.1', 'h2')];
    await view.instances('web');
    away = true;
    here = [];
    expect(await addresses(view.instances('web'))).toEqual(['10.2.2.1 node-h2 passing']);
  });

  test('while it is unreachable, a name of this host is answered, and an unknown one is an error', async () => {
    away = true;
    here = [instance('10.2.1.1', 'h1').service];
    expect(await addresses(view.instances('web'))).toEqual(['10.2.1.1 here passing']);
    here = [];
    await expect(async () => view.instances('web')).rejects.toThrow('connection refused');
    await expect(async () => view.node('there')).rejects.toThrow('connection refused');
  });

  test('an ignored answer may fail: the container has ended and the registry is unreachable', async () => {
    const failed = Promise.withResolvers<readonly Instance[]>();
    const remote = { instances: () => failed.promise, lastKnown: () => [], node: () => undefined };
    let isRefused = false;
    const own = instance('10.2.1.1', 'h1').service;
    const needs = { desired: { byName: () => [own], byAddress: () => [] }, rejected: () => isRefused, node };
    const asked = new RegistryView({ ...needs, remote, checkedBy: 'agent' }, { hostId: 'h1' });
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      void asked.instances('web');
      isRefused = true;
      failed.reject(unreachable());
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('one client with ever new names leaves room for the names of others', async () => {
    hangs = true;
    const ask = (client: string, kind: 'instances' | 'node') =>
      Promise.all(Array.from({ length: 300 }, (_, n) => view[kind](`${kind}${n}-${client}`, client)));
    await expect(ask('10.2.1.1', 'instances')).rejects.toThrow('too many concurrent lookups');
    await expect(async () => ask('10.2.1.1', 'node')).rejects.toThrow('too many concurrent lookups');
    for (const kind of ['instances', 'node'] as const) {
      expect(view[kind]('db', '10.2.1.2')).toBeInstanceOf(Promise);
    }
  });

  test('a known answer is returned at once', async () => {
    const own = instance('10.2.1.1', 'h1', {}, [alive]).service;
    const seen = [instance('10.2.1.1', 'h1', { status: 'critical' }), instance('10.2.2.1', 'h2')];
    const desired = { byName: () => [own], byAddress: () => [] };
    const remote = { instances: () => seen, lastKnown: () => [], node: () => undefined };
    const needs = { desired, remote, rejected: () => false, checkedBy: 'agent', node } as const;
    const found = new RegistryView(needs, { hostId: 'h1' }).instances('Web');
    expect(found).not.toBeInstanceOf(Promise);
    expect(await addresses(found)).toEqual(['10.2.1.1 here critical', '10.2.2.1 node-h2 passing']);
  });

  test('a node is found by name', async () => {
    expect(await view.node('There')).toEqual(there);
    expect(await view.node('nowhere')).toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Desired, type DesiredOptions } from '../../../src/registry/reconcile/desired.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { entryOf } from '../../support/roster.ts';
import { containerId } from '../../support/snapshot.ts';

function rig(options: Partial<DesiredOptions> = {}) {
  const logged: string[] = [];
  const log = silentLogger.child({});
  Object.assign(log, { warn: (_: unknown, text: string) => void logged.push(text) });
  const desired = new Desired({ log }, { hostId: 'h1', ...options });
  const changes: string[][] = [];
  desired.on('changed', (ids) => void changes.push([...ids]));
  const run = (
    name: string,
    env: Record<string, string> = {},
    container: Parameters<typeof entryOf>[0] = {},
  ) => desired.set(entryOf({ id: containerId(name), name, env, ...container }));
  const kill = (name: string) => desired.delete(containerId(name));
  return { desired, changes, logged, run, kill };
}

const own = (name: string, port = 0) => `heddle:h1:${containerId(name).slice(0, 12)}:${port}`;

describe('desired state', () => {
  test('keeps a container that exited with an error if requested, until the container is removed', () => {
    const { desired, run, kill } = rig({ keepFailed: true });
    const end = (exitCode: number | null) => run('a', {}, { running: false, pid: 0, ip: null, exitCode });
    run('a');
    end(null);
    end(3);
    expect(desired.size).toBe(1);
    end(0);
    expect(desired.size).toBe(0);
    run('a');
    end(3);
    kill('a');
    expect(desired.size).toBe(0);
  });

  test('reports colliding Marathon apps at each of them, and once in the log', () => {
    const { desired, run, logged } = rig();
    run('a', { MARATHON_APP_ID: '/web/b/a' });
    run('b', { MARATHON_APP_ID: '/web/a-b' });
    run('b', { MARATHON_APP_ID: '/web/a-b' });
    expect(desired.problems(containerId('a'))).toHaveLength(1);
    expect(logged).toEqual([expect.stringContaining('the app /web/b/a also has the name a-b.web')]);
  });

  test('is found by id, by name in any case, and by address', () => {
    const { desired, run } = rig();
    run('a', { SERVICE_NAME: 'Web' });
    run('b', { SERVICE_NAME: 'web' }, { ip: '10.2.1.2' });
    expect(desired.get(own('a'))?.address).toBe('10.2.1.1');
    expect(desired.byName('WEB').map(({ id }) => id)).toEqual([own('a'), own('b')]);
    expect(desired.byAddress('10.2.1.2').map(({ id }) => id)).toEqual([own('b')]);
    expect(desired.ofContainer(containerId('b')).map(({ id }) => id)).toEqual([own('b')]);
    expect(desired.size).toBe(2);
  });

  test('is found by its addresses of both families, for as long as it has them', () => {
    const { desired, run } = rig();
    const at = (ip: string) => desired.byAddress(ip).map(({ id }) => id);
    run('a', {}, { ipv6: 'fd00::1' });
    expect([at('10.2.1.1'), at('fd00::1')]).toEqual([[own('a')], [own('a')]]);
    run('a', {}, { ipv6: 'fd00::2' });
    expect([at('10.2.1.1'), at('fd00::1'), at('fd00::2')]).toEqual([[own('a')], [], [own('a')]]);
    run('a');
    expect([at('10.2.1.1'), at('fd00::2')]).toEqual([[own('a')], []]);
  });

  test('changes only for the container that changed', () => {
    const { desired, changes, run, kill } = rig();
    run('a', {}, { ports: [80, 443] });
    run('b');
    run('b');
    run('a', { SERVICE_80_TAGS: 'new' }, { ports: [80, 443] });
    run('a', {}, { ports: [443] });
    run('b', {}, { running: false });
    kill('a');
    kill('a');
    expect(changes).toEqual([
      [own('a', 80), own('a', 443)],
      [own('b')],
      [own('a', 80)],
      [own('a', 80), own('a', 443)],
      [own('b')],
      [own('a', 443)],
    ]);
    expect(desired.size).toBe(0);
    expect(desired.byName('thing')).toEqual([]);
    expect(desired.byAddress('10.2.1.1')).toEqual([]);
  });
});

describe('health', () => {
  const health = (options = {}) => {
    const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true, ...options });
    const events: string[] = [];
    desired.on('changed', (ids) => void events.push(...ids.map((id) => `changed ${id}`)));
    desired.on('statusChanged', (ids) => void events.push(...ids.map((id) => `status ${id}`)));
    const run = (container: Parameters<typeof entryOf>[0], env = {}) =>
      desired.set(entryOf({ id: containerId('a'), env: { SERVICE_NAME: 'web', ...env }, ...container }));
    const checks = () =>
      desired
        .byName('web')
        .flatMap((service) => service.checks.map(({ kind, status }) => `${kind} ${status}`));
    return { desired, events, run, checks };
  };

  test.each([
    ['starting', ['healthcheck warning']],
    ['healthy', ['healthcheck passing']],
    ['unhealthy', ['healthcheck critical']],
    ['none', []],
  ] as const)('of a HEALTHCHECK in state %s is %s', (state, expected) => {
    const { run, checks } = health();
    run({ health: state });
    expect(checks()).toEqual(expected);
  });

  test('of a HEALTHCHECK is not used if the settings disable it', () => {
    const { run, checks } = health({ healthcheck: false });
    run({ health: 'unhealthy' });
    expect(checks()).toEqual([]);
  });

  test('of a TTL check passes as long as the container runs', () => {
    const { run, checks } = health();
    run({}, { SERVICE_CHECK_TTL: '10s', SERVICE_CHECK_INITIAL_STATUS: 'critical' });
    expect(checks()).toEqual(['ttl passing']);
  });

  test('of a container that ended and stays registered is critical', () => {
    const { events, run, checks } = health({ keepFailed: true });
    const env = { SERVICE_CHECK_TTL: '10s' };
    run({ health: 'healthy' }, env);
    expect(checks()).toEqual(['healthcheck passing', 'ttl passing']);
    run({ health: 'healthy', running: false, pid: 0, exitCode: 1 }, env);
    expect(checks()).toEqual(['healthcheck critical', 'ttl critical']);
    expect(events.filter((line) => line.startsWith('changed'))).toHaveLength(1);
  });

  test('that changes is reported, and the service is not registered again', () => {
    const { desired, events, run, checks } = health();
    run({ health: 'starting' }, { SERVICE_ID: 'mine' });
    run({ health: 'starting' }, { SERVICE_ID: 'mine' });
    run({ health: 'healthy' }, { SERVICE_ID: 'mine' });
    expect(events).toEqual(['changed mine', 'status mine']);
    expect(checks()).toEqual(['healthcheck passing']);
    expect(desired.get('mine')?.checks).toMatchObject([{ id: `${own('a')}~healthcheck` }]);
  });

  test('that a check runner found stays until the check is removed', () => {
    const { desired, events, run, checks } = health();
    const env = { SERVICE_CHECK_TCP: '1', SERVICE_CHECK_INITIAL_STATUS: 'warning' };
    run({ ports: [80] }, env);
    expect(checks()).toEqual(['tcp warning']);
    const check = `${own('a', 80)}~tcp`;
    desired.setStatus(own('a', 80), check, 'passing');
    desired.setStatus(own('a', 80), check, 'passing');
    desired.setStatus(own('a', 80), 'another', 'critical');
    desired.setStatus('another', check, 'critical');
    run({ ports: [80] }, { ...env, SERVICE_TAGS: 'new' });
    expect(checks()).toEqual(['tcp passing']);
    run({ running: false });
    run({ ports: [80] }, env);
    expect(checks()).toEqual(['tcp warning']);
    expect(events.filter((line) => line.startsWith('status '))).toEqual([`status ${own('a', 80)}`]);
  });
});

describe('a SERVICE_ID', () => {
  test('requested by two containers belongs to the first; the second uses its generated id', () => {
    const { desired, logged, run } = rig();
    run('a', { SERVICE_ID: 'db' });
    run('b', { SERVICE_ID: 'db' }, { ip: '10.2.1.2' });
    expect(desired.get('db')?.address).toBe('10.2.1.1');
    expect(desired.get(own('b'))?.address).toBe('10.2.1.2');
    const problem = `SERVICE_ID db is already used by container a; using ${own('b')} for this one`;
    expect(desired.problems(containerId('b'))).toEqual([problem]);
    expect(desired.problems(containerId('a'))).toEqual([]);
    expect(logged).toEqual([problem]);
  });

  test('passes to the second when the first is removed', () => {
    const { desired, changes, run, kill } = rig();
    run('a', { SERVICE_ID: 'db' });
    run('b', { SERVICE_ID: 'db' }, { ip: '10.2.1.2' });
    kill('a');
    expect(desired.get('db')?.address).toBe('10.2.1.2');
    expect(desired.get(own('b'))).toBeUndefined();
    expect(desired.problems(containerId('b'))).toEqual([]);
    expect(changes.at(-1)?.sort()).toEqual(['db', own('b')].sort());
  });

  test('stays with the first while that container changes', () => {
    const { desired, run } = rig();
    run('a', { SERVICE_ID: 'db' });
    run('b', { SERVICE_ID: 'db' }, { ip: '10.2.1.2' });
    run('a', { SERVICE_ID: 'db', SERVICE_TAGS: 'new' });
    expect(desired.get('db')).toMatchObject({ address: '10.2.1.1', tags: ['new'] });
  });

  test('of another owner in the registry is not used here until it is free', () => {
    const { desired, changes, logged, run } = rig();
    run('a', { SERVICE_ID: 'db' });
    run('b', { SERVICE_ID: 'db' }, { ip: '10.2.1.2' });
    desired.setForeign('db', true);
    desired.setForeign('db', true);
    expect([...desired.services()].map(({ id }) => id)).toEqual([own('b'), own('a')]);
    expect(changes.at(-1)).toEqual(['db', own('a')]);
    expect(changes).toHaveLength(3);
    const problem = `SERVICE_ID db is already registered by another owner (possibly registrator); using`;
    expect(desired.problems(containerId('a'))).toEqual([expect.stringContaining(problem)]);
    expect(logged.filter((line) => line.includes(`using ${own('a')}`))).toHaveLength(1);
    desired.setForeign('db', false);
    expect(desired.get('db')?.address).toBe('10.2.1.1');
    expect(desired.problems(containerId('a'))).toEqual([]);
  });

  test('is requested again by a container that restarts', () => {
    const { desired, run, kill } = rig();
    run('a', { SERVICE_ID: 'db' });
    desired.setForeign('db', true);
    kill('a');
    expect([...desired.requestedIds()]).toEqual([]);
    run('a', { SERVICE_ID: 'db' });
    expect(desired.get('db')?.address).toBe('10.2.1.1');
  });

  test('applies to one port of a container; the others keep their generated ids', () => {
    const { desired, run } = rig();
    run('a', { SERVICE_ID: 'db' }, { ports: [80, 443] });
    expect([...desired.services()].map(({ id }) => id)).toEqual(['db', own('a', 443)]);
    expect(desired.problems(containerId('a'))).toHaveLength(1);
  });
});

test('bad metadata is logged once, not at every event', () => {
  const { logged, run } = rig();
  run('a', { SERVICE_NAME: 'my_app' });
  run('a', { SERVICE_NAME: 'my_app' });
  run('a', { SERVICE_NAME: 'my_app', SERVICE_WEIGHT: 'x' });
  expect(logged).toEqual([
    'SERVICE_NAME "my_app" is not a DNS label and becomes my-app',
    expect.stringContaining('SERVICE_WEIGHT "x" is refused'),
  ]);
});

test('after any changes the tables match the current containers', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    running: fc.boolean(),
    env: fc.record(
      { SERVICE_ID: fc.constantFrom('x', 'y'), SERVICE_TAGS: fc.constantFrom('1', '2') },
      { requiredKeys: [] },
    ),
    ports: fc.subarray([80, 443]),
    remove: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { desired, run, kill } = rig();
      const mirror = new Map<string, string>();
      desired.on('changed', (ids) => {
        for (const id of ids) {
          const hash = desired.get(id)?.meta['heddle-hash'];
          expect(hash, `${id} was emitted as changed`).not.toBe(mirror.get(id));
          if (hash === undefined) mirror.delete(id);
          else mirror.set(id, hash);
        }
      });
      const last = new Map<string, Parameters<typeof run>>();
      for (const { name, env, remove, ...container } of steps) {
        if (remove) kill(name);
        else run(name, env, container);
        if (remove) last.delete(name);
        else last.set(name, [name, env, container]);
      }
      const services = [...desired.services()];
      expect(new Map(services.map(({ id, meta }) => [id, meta['heddle-hash']]))).toEqual(mirror);
      const fresh = rig();
      for (const args of last.values()) fresh.run(...args);
      const hashes = (all: typeof services) => all.map(({ meta }) => meta['heddle-hash']).sort();
      expect(hashes(services)).toEqual(hashes([...fresh.desired.services()]));
      expect(
        new Set(desired.byName('thing').concat(desired.byName('thing-80'), desired.byName('thing-443'))),
      ).toEqual(new Set(services));
      expect(new Set(desired.byAddress('10.2.1.1'))).toEqual(new Set(services));
      for (const service of services) expect(desired.get(service.id)).toBe(service);
    }),
  );
});

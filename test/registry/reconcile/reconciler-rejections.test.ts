import { afterEach, describe, expect, test, vi } from 'vitest';
import { HeddleError } from '../../../src/errors.ts';
import { expectEqual, id, rig, stopReconcilers } from './reconciler-rig.ts';

afterEach(stopReconcilers);

describe('a service that the registry rejects', () => {
  test('is logged once, shown in the status, and does not stop the others', async () => {
    const world = rig();
    world.registry.refusals.set(id(1), 'no such service allowed');
    await world.reconciler.start();
    for (const n of [1, 2]) world.run(n);
    await world.reconciler.flush();
    await world.reconciler.recheck();
    await world.reconciler.flush();
    expect([...world.registry.services.keys()]).toEqual([id(2)]);
    expect(world.reconciler.status().errors).toEqual(new Map([[id(1), 'no such service allowed']]));
    expect(world.reconciler.rejected(id(1))).toBe(true);
    expect(world.logged).toEqual(['no such service allowed']);
    expect(world.registry.writes.filter((write) => write === `+${id(1)}`)).toHaveLength(1);
  });

  test('is retried soon, one at a time; when one is registered, all are', async () => {
    const world = rig({ retryRejectedAfter: 20 });
    const all = [1, 2, 3, 4];
    for (const n of all) world.registry.refusals.set(id(n), `no write for ${n}`);
    await world.reconciler.start();
    for (const n of all) world.run(n);
    await world.reconciler.flush();
    world.registry.writes.length = 0;
    await vi.waitFor(() => expect(world.registry.writes.length).toBeGreaterThanOrEqual(4));
    expect(new Set(world.registry.writes.slice(0, 4)).size).toBe(4);
    expect(world.logged).toHaveLength(4);
    world.registry.refusals.clear();
    await vi.waitFor(() => expectEqual(world));
  });

  test('does not count as rejected while the registry refuses every request, and is written afterwards', async () => {
    const world = rig();
    await world.reconciler.start();
    world.run(1);
    await world.reconciler.flush();
    const no = 'this token may nothing';
    for (const n of [1, 2]) world.registry.refusals.set(id(n), no);
    world.run(2);
    await world.reconciler.flush();
    expect(world.reconciler.rejected(id(2))).toBe(true);
    world.registry.fault = (verb) => {
      if (verb === 'list') throw new HeddleError('refused', no);
    };
    const late = Promise.withResolvers<void>();
    world.registry.refusals.set(id(3), no);
    world.registry.fault = async (verb) => {
      if (verb === 'list') throw new HeddleError('refused', no);
      if (verb === 'write') await late.promise;
    };
    world.run(3);
    await world.reconciler.recheck();
    late.resolve();
    await vi.waitFor(() => expect(world.logged).toHaveLength(3));
    expect(world.reconciler.status().state).toBe('away');
    for (const n of [1, 2, 3]) expect(world.reconciler.rejected(id(n)), `s${n}`).toBe(false);
    world.registry.fault = () => {};
    world.registry.refusals.clear();
    await vi.waitFor(() => expectEqual(world));
    await vi.waitFor(() => expect(world.logged.at(-1)).toBe('shaky is back'));
    expect(world.logged).toHaveLength(4);
  });

  test('is retried with new content', async () => {
    const world = rig();
    world.registry.refusals.set(id(1), 'bad tag');
    await world.reconciler.start();
    world.run(1, { SERVICE_TAGS: 'bad' });
    await world.reconciler.flush();
    world.registry.refusals.clear();
    world.run(1, { SERVICE_TAGS: 'good' });
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.reconciler.status().errors.size).toBe(0);
  });

  test('is retried by the periodic pass', async () => {
    const world = rig({ passEvery: 20 });
    world.registry.refusals.set(id(1), 'not now');
    await world.reconciler.start();
    world.run(1);
    await world.reconciler.flush();
    world.registry.refusals.clear();
    await vi.waitFor(() => expectEqual(world));
  });
});

describe('a SERVICE_ID that belongs to another owner in the registry', () => {
  test('only makes the service use its generated id, until it is free', async () => {
    const world = rig();
    world.registry.foreigners.add('db');
    await world.reconciler.start();
    world.run(1, { SERVICE_ID: 'db' });
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.reconciler.status().errors.size).toBe(0);
    expect([...world.registry.services.keys()]).toEqual([id(1)]);
    world.registry.foreigners.clear();
    await world.reconciler.recheck();
    await world.reconciler.flush();
    expect([...world.registry.services.keys()]).toEqual(['db']);
  });

  test('is known before the first write: a service under its generated id stays registered', async () => {
    const world = rig();
    world.registry.foreigners.add('db');
    world.run(1, { SERVICE_ID: 'db' });
    const [service] = world.desired.services();
    if (service === undefined) throw new Error('no service');
    world.registry.services.set(id(1), { ...service, id: id(1) });
    await world.reconciler.start();
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.registry.writes).toEqual([]);
  });
});

import { afterEach, describe, expect, test, vi } from 'vitest';
import { HeddleError } from '../../../src/errors.ts';
import { id, rig, stopReconcilers } from './reconciler-rig.ts';

afterEach(stopReconcilers);

describe('services that the catalog does not serve', () => {
  const warning = ['shaky accepted services that its catalog does not serve; registering them again'];

  test('are reported once, until they are served', async () => {
    const world = rig({ servePatience: 5 });
    world.registry.notServed = ['x'];
    await world.reconciler.start();
    await vi.waitFor(() => expect(world.reconciler.status().unsynced).toEqual(['x']));
    await world.reconciler.recheck();
    expect(world.logged).toEqual(warning);
    world.registry.notServed = [];
    await world.reconciler.recheck();
    expect(world.reconciler.status().unsynced).toEqual([]);
  });

  test('are not reported within the patience, however often they are checked', async () => {
    const world = rig({ servePatience: 60_000 });
    world.run(1);
    world.registry.notServed = [id(1)];
    await world.reconciler.start();
    for (let pass = 0; pass < 3; pass++) await world.reconciler.recheck();
    expect(world.reconciler.status().unsynced).toEqual([]);
    expect(world.logged).toEqual([]);
  });

  test('are registered again at once and then rarely, after a removal from the second time on, until they are served', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const world = rig({ servePatience: 1000 });
    world.run(1);
    await world.reconciler.start();
    await world.reconciler.flush();
    world.registry.notServed = [id(1), 'gone'];
    const written = async (ms: number) => {
      world.registry.writes.length = 0;
      vi.advanceTimersByTime(ms);
      await world.reconciler.recheck();
      await world.reconciler.flush();
      return world.registry.writes;
    };
    expect(await written(0)).toEqual([]);
    expect(await written(1000)).toEqual([`+${id(1)}`]);
    expect(await written(2000)).toEqual([]);
    expect(await written(1500)).toEqual([`-${id(1)}`, `+${id(1)}`]);
    expect(await written(5000)).toEqual([]);
    expect(await written(1500)).toEqual([`-${id(1)}`, `+${id(1)}`]);
    expect(world.logged).toEqual(warning);
    world.registry.notServed = [];
    expect(await written(60_000)).toEqual([]);
    // Content that was served before is not merely late.
    world.registry.notServed = [id(1)];
    expect(await written(1)).toEqual([`+${id(1)}`]);
  });

  test('are not registered again if the registry knows a cause that this does not fix', async () => {
    const world = rig({ servePatience: 1 });
    Object.assign(world.registry, { whyUnsynced: async () => 'the agent lost its data' });
    world.run(1);
    await world.reconciler.start();
    await world.reconciler.flush();
    world.registry.notServed = [id(1)];
    await vi.waitFor(async () => {
      await world.reconciler.recheck();
      expect(world.reconciler.status().unsyncedWhy).toBe('the agent lost its data');
    });
    await world.reconciler.recheck();
    await world.reconciler.flush();
    expect(world.registry.writes).toEqual([`+${id(1)}`]);
  });

  test('have the full patience again after their content changed', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const world = rig({ servePatience: 1000 });
    world.run(1);
    await world.reconciler.start();
    await world.reconciler.flush();
    world.registry.notServed = [id(1)];
    await world.reconciler.recheck();
    vi.advanceTimersByTime(900);
    world.run(1, { SERVICE_TAGS: 'new' });
    await world.reconciler.flush();
    await world.reconciler.recheck();
    vi.advanceTimersByTime(900);
    await world.reconciler.recheck();
    expect(world.logged).toEqual([]);
    vi.advanceTimersByTime(200);
    await world.reconciler.recheck();
    expect(world.logged).toEqual(warning);
  });
});

test('a catalog that may not be read is logged once, and checked again until it may', async () => {
  const world = rig({ passEvery: 5 });
  world.registry.fault = (verb) => {
    if (verb === 'unsynced') throw new HeddleError('refused', 'the token needs more');
  };
  await world.reconciler.start();
  await world.reconciler.recheck();
  expect(world.reconciler.status()).toMatchObject({ unsynced: [], unsyncedWhy: 'the token needs more' });
  expect(world.logged).toEqual(['the token needs more']);
  world.registry.fault = () => {};
  await vi.waitFor(() => expect(world.reconciler.status().unsyncedWhy).toBeUndefined());
});

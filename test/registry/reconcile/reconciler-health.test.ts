import { afterEach, describe, expect, test, vi } from 'vitest';
import { entryOf } from '../../support/roster.ts';
import { containerId } from '../../support/snapshot.ts';
import { id, type Rig, rig, stopReconcilers } from './reconciler-rig.ts';

afterEach(stopReconcilers);

describe('the health that heddle reports', () => {
  const sick = (world: Rig, n: number, health: 'healthy' | 'unhealthy', env = {}) =>
    world.desired.set(entryOf({ id: containerId(`${n}f`), env: { SERVICE_NAME: `s${n}`, ...env }, health }));
  const reported = ({ registry }: Rig) => [...registry.reported.values()];

  test('is part of the registration, and is reported alone when it changes', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    await world.reconciler.flush();
    expect(reported(world)).toEqual(['passing']);
    sick(world, 1, 'unhealthy');
    await world.reconciler.flush();
    expect(reported(world)).toEqual(['critical']);
    expect(world.registry.writes).toEqual([`+${id(1)}`]);
    expect(world.registry.reports).toEqual([`${id(1)} critical`]);
  });

  test('is reported again on demand, but not for a removed service', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    await world.reconciler.flush();
    world.reconciler.keepAlive(id(1));
    world.reconciler.keepAlive(id(2));
    await world.reconciler.flush();
    expect(world.registry.reports).toEqual([`${id(1)} passing`]);
  });

  test('is corrected by a full pass where the registry has forgotten it, and only there', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    sick(world, 2, 'healthy');
    await world.reconciler.flush();
    world.registry.reported.set(`${id(1)}~healthcheck`, 'critical');
    await world.reconciler.recheck();
    await world.reconciler.flush();
    expect(reported(world)).toEqual(['passing', 'passing']);
    expect(world.registry.reports).toEqual([`${id(1)} passing`]);
  });

  test('that changed while the registry was unreachable is reported when it is back', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    await world.reconciler.flush();
    world.registry.away = true;
    sick(world, 1, 'unhealthy');
    await vi.waitFor(() => expect(world.reconciler.status().state).toBe('away'));
    expect(world.reconciler.status().pending).toBe(1);
    world.registry.away = false;
    await vi.waitFor(() => expect(reported(world)).toEqual(['critical']));
  });

  test('of a check that the registry lost registers its service again', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    await world.reconciler.flush();
    world.registry.services.delete(id(1));
    sick(world, 1, 'unhealthy');
    await world.reconciler.flush();
    expect(world.registry.writes).toEqual([`+${id(1)}`, `+${id(1)}`]);
    expect(reported(world)).toEqual(['critical']);
  });
});

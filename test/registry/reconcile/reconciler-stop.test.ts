import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { rig, stopReconcilers } from './reconciler-rig.ts';

afterEach(stopReconcilers);

describe('at a stop', () => {
  test('running writes are finished and the entries stay', async () => {
    const world = rig();
    await world.reconciler.start();
    for (let n = 0; n < 20; n++) world.run(n);
    await world.reconciler.stop();
    expect(world.registry.services.size).toBe(20);
    expect(world.registry.watched).toBe(false);
    expect(world.desired.listenerCount('changed')).toBe(0);
    await world.reconciler.stop();
  });

  test('with deregister, all our services are removed', async () => {
    const world = rig({ onStop: 'deregister' });
    await world.reconciler.start();
    for (let n = 0; n < 20; n++) world.run(n);
    await world.reconciler.stop();
    expect(world.registry.services.size).toBe(0);
  });

  test('with deregister, all our services stay for a successor', async () => {
    const world = rig({ onStop: 'deregister' });
    await world.reconciler.start();
    for (let n = 0; n < 20; n++) world.run(n);
    await world.reconciler.stop({ keep: true });
    expect(world.registry.services.size).toBe(20);
  });

  test('a registry that hangs does not delay it', async () => {
    const world = rig({ onStop: 'deregister', stopPatience: 20 });
    await world.reconciler.start();
    world.registry.fault = (verb) => (verb === 'write' ? new Promise<never>(() => {}) : undefined);
    world.run(1);
    await delay(5);
    await world.reconciler.stop();
    expect(world.registry.services.size).toBe(0);
  });

  test('an aborted signal ends the reconciler at once', async () => {
    const world = rig();
    const abort = new AbortController();
    await world.reconciler.start(abort.signal);
    abort.abort();
    expect(world.reconciler.status().state).toBe('stopped');
    await world.reconciler.stop();
  });
});

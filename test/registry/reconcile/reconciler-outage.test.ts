import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { unreachable } from '../../support/shaky-registry.ts';
import { expectEqual, id, type Rig, rig, stopReconcilers } from './reconciler-rig.ts';

afterEach(stopReconcilers);

describe('while the registry is unreachable', () => {
  test('the start succeeds, and everything is written when the registry appears', async () => {
    const world = rig();
    world.registry.away = true;
    world.run(1);
    await world.reconciler.start();
    expect(world.reconciler.status()).toMatchObject({ state: 'away', pending: 0 });
    world.run(2);
    expect(world.reconciler.status().pending).toBe(1);
    world.registry.away = false;
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.reconciler.status()).toMatchObject({ state: 'synced', pending: 0 });
  });

  test('changes do not pile up: a service that came and went a thousand times is one dirty id', async () => {
    const world = rig();
    await world.reconciler.start();
    world.registry.away = true;
    for (let n = 0; n < 1000; n++) {
      world.run(1, { SERVICE_TAGS: String(n) });
      world.kill(1);
    }
    await vi.waitFor(() => expect(world.reconciler.status()).toMatchObject({ state: 'away', pending: 1 }));
    expect(world.registry.writes).toEqual([]);
    world.registry.away = false;
    await world.reconciler.flush();
    expect(world.registry.writes).toEqual([]);
  });

  test('its loss and its return are logged once each', async () => {
    const world = rig();
    await world.reconciler.start();
    world.registry.away = true;
    for (let n = 0; n < 20; n++) world.run(n);
    await delay(30);
    world.registry.away = false;
    await world.reconciler.flush();
    expect(world.logged).toEqual([
      expect.stringContaining('the registry is away: connection refused'),
      'shaky is back',
    ]);
  });

  test('queued writes are not sent when the first writes fail', async () => {
    const world = rig({ retry: { first: 400, longest: 400 } });
    await world.reconciler.start();
    let tried = 0;
    world.registry.fault = (verb) => {
      if (verb === 'write' && ++tried <= 8) throw unreachable();
    };
    for (let n = 0; n < 100; n++) world.run(n);
    await vi.waitFor(() => expect(world.reconciler.status().state).toBe('away'));
    await new Promise(setImmediate);
    expect(tried).toBe(8);
    await world.reconciler.flush();
    expectEqual(world);
  });

  test('one that answers reads but no writes is retried with pauses, and is back only after a write', async () => {
    const world = rig({ retry: { first: 10, longest: 10 } });
    await world.reconciler.start();
    let failed = 0;
    world.registry.fault = (verb) => {
      if (verb === 'write') {
        failed++;
        throw unreachable();
      }
    };
    const started = performance.now();
    world.run(1);
    await vi.waitFor(() => expect(failed).toBeGreaterThan(9));
    expect(world.reconciler.status().pending).toBe(1);
    // A pause is at least half of ten milliseconds, and a timer may fire one early.
    expect(failed).toBeLessThanOrEqual(1 + (performance.now() - started) / 4);
    expect(world.logged).toHaveLength(1);
    world.registry.fault = () => {};
    await world.reconciler.flush();
    expect(world.logged.at(-1)).toBe('shaky is back');
  });

  test('a write whose answer was lost is not repeated', async () => {
    const world = rig();
    await world.reconciler.start();
    world.registry.fault = (verb, after) => {
      if (verb === 'write' && after) throw unreachable();
    };
    world.run(1);
    await vi.waitFor(() => expect(world.registry.services.size).toBe(1));
    world.registry.fault = () => {};
    await world.reconciler.flush();
    expect(world.registry.writes).toEqual([`+${id(1)}`]);
  });
});

describe('a registration that the registry lost', () => {
  const losses = (world: Rig) => world.logged.filter((line) => line.includes('had lost'));

  test('is logged once for each loss, and only if it was registered and wanted', async () => {
    const world = rig({ passEvery: 5 });
    for (let n = 0; n < 3; n++) world.run(n);
    await world.reconciler.start();
    await world.reconciler.flush();
    await world.reconciler.recheck();
    world.kill(0);
    await world.reconciler.flush();
    world.run(0);
    await world.reconciler.flush();
    await world.reconciler.recheck();
    expect(losses(world)).toEqual([]);
    const lost = "shaky had lost 3 of this host's services; registering them again";
    for (const expected of [[lost], [lost, lost]]) {
      world.registry.wipe();
      await vi.waitFor(() => expectEqual(world));
      expect(losses(world)).toEqual(expected);
    }
  });

  test('while it was unreachable is logged when it is back, without services that ended in the meantime', async () => {
    const world = rig();
    for (let n = 0; n < 3; n++) world.run(n);
    await world.reconciler.start();
    await world.reconciler.flush();
    world.registry.away = true;
    void world.reconciler.recheck();
    await vi.waitFor(() => expect(world.reconciler.status().state).toBe('away'));
    world.kill(0);
    world.run(4);
    world.registry.wipe();
    world.registry.away = false;
    await vi.waitFor(() => expectEqual(world));
    expect(losses(world)).toEqual(["shaky had lost 2 of this host's services; registering them again"]);
  });
});

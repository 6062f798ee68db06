import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { entryOf } from '../../support/roster.ts';
import { unreachable } from '../../support/shaky-registry.ts';
import { containerId } from '../../support/snapshot.ts';
import { expectEqual, id, rig, stopReconcilers } from './reconciler-rig.ts';

afterEach(stopReconcilers);

describe('the registry is kept as desired', () => {
  test('at the start: missing services are registered, wrong ones corrected, stale ones removed', async () => {
    const world = rig();
    for (const n of [1, 2, 3]) world.run(n);
    const [right, wrong] = [...world.desired.services()];
    if (right === undefined || wrong === undefined) throw new Error('no services');
    world.registry.services.set(right.id, right);
    world.registry.services.set(wrong.id, { ...wrong, address: '10.9.9.9' });
    world.registry.services.set('heddle:h1:gone:0', { ...right, id: 'heddle:h1:gone:0' });
    await world.reconciler.start();
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.registry.writes.sort()).toEqual(['-heddle:h1:gone:0', `+${id(2)}`, `+${id(3)}`].sort());
  });

  test('a start and a kill of a container are written at once', async () => {
    const world = rig();
    await world.reconciler.start();
    world.run(1);
    await world.reconciler.flush();
    expectEqual(world);
    world.kill(1);
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.registry.writes).toEqual([`+${id(1)}`, `-${id(1)}`]);
  });

  test('a container that dies at once leaves no service', async () => {
    const world = rig();
    await world.reconciler.start();
    world.run(1);
    world.kill(1);
    await world.reconciler.flush();
    expect(world.registry.services.size).toBe(0);
    expect(world.registry.writes).toEqual([`-${id(1)}`]);
  });

  test('many changes are written eight at a time, never two of one service', async () => {
    const world = rig();
    await world.reconciler.start();
    for (let n = 0; n < 100; n++) world.run(n);
    for (let n = 0; n < 50; n++) world.run(n, { SERVICE_TAGS: 'new' });
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.registry.mostInFlight).toBe(8);
    expect(world.registry.overlaps).toEqual([]);
  });

  test('a container with two thousand ports delays neither the start nor the end of another', async () => {
    const world = rig();
    world.run(7);
    await world.reconciler.start();
    await world.reconciler.flush();
    world.registry.writes.length = 0;
    const ports = Array.from({ length: 2000 }, (_, n) => n + 1);
    world.desired.set(entryOf({ id: containerId('b16'), ports, env: { SERVICE_NAME: 'big' } }));
    await vi.waitFor(() => expect(world.registry.writes.length).toBeGreaterThan(50));
    const before = world.registry.writes.length;
    world.run(8);
    world.kill(7);
    await vi.waitFor(() => expect(world.registry.services.has(id(8))).toBe(true));
    const after = world.registry.writes.slice(before);
    for (const write of [`+${id(8)}`, `-${id(7)}`]) {
      expect(after.indexOf(write)).toBeGreaterThanOrEqual(0);
      // The eight running writes, eight that ended before its turn, and one of the other container.
      expect(after.indexOf(write)).toBeLessThan(24);
    }
  });

  test('a full pass during writes repeats none of them', async () => {
    const world = rig();
    await world.reconciler.start();
    world.registry.fault = async (verb) => void (verb === 'write' && (await delay(5)));
    for (let n = 0; n < 30; n++) world.run(n);
    for (let n = 0; n < 5; n++) await world.reconciler.recheck();
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.registry.writes).toHaveLength(30);
  });

  test('a wiped registry is filled again', async () => {
    const world = rig();
    await world.reconciler.start();
    for (let n = 0; n < 20; n++) world.run(n);
    await world.reconciler.flush();
    world.registry.wipe();
    await vi.waitFor(() => expectEqual(world));
    expect(world.registry.services.size).toBe(20);
  });

  test('a foreign edit is corrected at the next pass', async () => {
    const world = rig({ passEvery: 5 });
    world.run(1);
    await world.reconciler.start();
    await world.reconciler.flush();
    const [service] = world.registry.services.values();
    if (service === undefined) throw new Error('no service');
    world.registry.services.set(service.id, { ...service, tags: ['foreign'] });
    await vi.waitFor(() => expectEqual(world));
  });
});

test('whatever fails, the registry finally holds desired state', async () => {
  const step = fc.record({
    kind: fc.constantFrom('run', 'run', 'kill', 'change', 'wipe', 'away', 'back', 'edit', 'wait'),
    n: fc.nat(9),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.infiniteStream(fc.nat(99)),
      async (steps, dice) => {
        const world = rig();
        const { registry, reconciler } = world;
        const roll = () => dice.next().value as number;
        let faulty = true;
        registry.fault = async (verb) => {
          if (roll() < 30) await delay(1);
          if (faulty && roll() < 15) throw unreachable();
          if (faulty && verb === 'write' && roll() < 3) registry.wipe();
        };
        await reconciler.start();
        for (const { kind, n } of steps) {
          if (kind === 'run') world.run(n);
          if (kind === 'kill') world.kill(n);
          if (kind === 'change') world.run(n, { SERVICE_TAGS: String(roll()) });
          if (kind === 'wipe') registry.wipe();
          if (kind === 'away') registry.away = true;
          if (kind === 'back') registry.away = false;
          if (kind === 'edit') {
            for (const [key, held] of [...registry.services].slice(0, 1))
              registry.services.set(key, { ...held, port: 1 });
          }
          if (kind === 'wait') await delay(2);
        }
        registry.away = false;
        faulty = false;
        await reconciler.recheck();
        await reconciler.flush();
        await reconciler.recheck();
        await reconciler.flush();
        expectEqual(world);
        await reconciler.stop();
      },
    ),
    { numRuns: 60, interruptAfterTimeLimit: 15_000 },
  );
});

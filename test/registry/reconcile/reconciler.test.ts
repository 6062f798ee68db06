import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HeddleError } from '../../../src/errors.ts';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import { Reconciler, type ReconcilerOptions } from '../../../src/registry/reconcile/reconciler.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { entryOf } from '../../support/roster.ts';
import { ShakyRegistry, unreachable } from '../../support/shaky-registry.ts';
import { containerId } from '../../support/snapshot.ts';

const QUICK = { retry: { first: 1, longest: 4 }, stopPatience: 50 };

interface Rig {
  readonly registry: ShakyRegistry;
  readonly desired: Desired;
  readonly reconciler: Reconciler;
  readonly said: string[];
  run(n: number, env?: Record<string, string>): void;
  kill(n: number): void;
}

const started: Reconciler[] = [];

function rig(options: ReconcilerOptions = {}): Rig {
  const registry = new ShakyRegistry();
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
  const said: string[] = [];
  const log = silentLogger.child({});
  const say = (...args: unknown[]) => void said.push(String(args.at(-1)));
  Object.assign(log, { warn: say, info: say, error: say });
  const reconciler = new Reconciler({ registry, desired, log }, { ...QUICK, ...options });
  started.push(reconciler);
  return {
    registry,
    desired,
    reconciler,
    said,
    run: (n, env = {}) =>
      desired.set(entryOf({ id: containerId(`${n}f`), env: { SERVICE_NAME: `s${n}`, ...env } })),
    kill: (n) => desired.delete(containerId(`${n}f`)),
  };
}

const id = (n: number) => `heddle:h1:${containerId(`${n}f`).slice(0, 12)}:0`;
const state = ({ registry, desired }: Rig) => ({
  held: [...registry.services.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  wanted: [...desired.services()].sort((a, b) => (a.id < b.id ? -1 : 1)),
});

function expectEqual(world: Rig): void {
  const { held, wanted } = state(world);
  expect(held).toEqual(wanted);
}

afterEach(async () => {
  vi.useRealTimers();
  for (const reconciler of started.splice(0)) await reconciler.stop();
});

describe('the registry is kept as desired', () => {
  test('from the start: what is missing is registered, what is wrong corrected, what is stale removed', async () => {
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

  test('a start and a kill are written at once', async () => {
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

  test('a container that dies at once leaves nothing', async () => {
    const world = rig();
    await world.reconciler.start();
    world.run(1);
    world.kill(1);
    await world.reconciler.flush();
    expect(world.registry.services.size).toBe(0);
    expect(world.registry.writes).toEqual([`-${id(1)}`]);
  });

  test('many changes go out eight at a time, never two of one service', async () => {
    const world = rig();
    await world.reconciler.start();
    for (let n = 0; n < 100; n++) world.run(n);
    for (let n = 0; n < 50; n++) world.run(n, { SERVICE_TAGS: 'new' });
    await world.reconciler.flush();
    expectEqual(world);
    expect(world.registry.mostInFlight).toBe(8);
    expect(world.registry.overlaps).toEqual([]);
  });

  test('a container of two thousand ports does not hold another one up, neither its start nor its end', async () => {
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
      // Those under way, as many again that ended before it was its turn, and one of the other container.
      expect(after.indexOf(write)).toBeLessThan(24);
    }
  });

  test('a comparison in the middle of writes repeats none of them', async () => {
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

describe('the health that heddle tells', () => {
  const sick = (world: Rig, n: number, health: 'healthy' | 'unhealthy', env = {}) =>
    world.desired.set(entryOf({ id: containerId(`${n}f`), env: { SERVICE_NAME: `s${n}`, ...env }, health }));
  const heard = ({ registry }: Rig) => [...registry.heard.values()];

  test('comes with the registration, and alone when it changes', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    await world.reconciler.flush();
    expect(heard(world)).toEqual(['passing']);
    sick(world, 1, 'unhealthy');
    await world.reconciler.flush();
    expect(heard(world)).toEqual(['critical']);
    expect(world.registry.writes).toEqual([`+${id(1)}`]);
    expect(world.registry.reports).toEqual([`${id(1)} critical`]);
  });

  test('is told again when asked to, and not of what is gone', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    await world.reconciler.flush();
    world.reconciler.keepAlive(id(1));
    world.reconciler.keepAlive(id(2));
    await world.reconciler.flush();
    expect(world.registry.reports).toEqual([`${id(1)} passing`]);
  });

  test('is set right by a comparison where the registry has forgotten it, and only there', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    sick(world, 2, 'healthy');
    await world.reconciler.flush();
    world.registry.heard.set(`${id(1)}~healthcheck`, 'critical');
    await world.reconciler.recheck();
    await world.reconciler.flush();
    expect(heard(world)).toEqual(['passing', 'passing']);
    expect(world.registry.reports).toEqual([`${id(1)} passing`]);
  });

  test('that changed while the registry was away is told when it is back', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    await world.reconciler.flush();
    world.registry.away = true;
    sick(world, 1, 'unhealthy');
    await vi.waitFor(() => expect(world.reconciler.status().state).toBe('away'));
    expect(world.reconciler.status().pending).toBe(1);
    world.registry.away = false;
    await vi.waitFor(() => expect(heard(world)).toEqual(['critical']));
  });

  test('of a check that the registry has lost brings its service back', async () => {
    const world = rig();
    await world.reconciler.start();
    sick(world, 1, 'healthy');
    await world.reconciler.flush();
    world.registry.services.delete(id(1));
    sick(world, 1, 'unhealthy');
    await world.reconciler.flush();
    expect(world.registry.writes).toEqual([`+${id(1)}`, `+${id(1)}`]);
    expect(heard(world)).toEqual(['critical']);
  });
});

describe('while the registry is away', () => {
  test('at the start: starting is no error, and all is written when it comes', async () => {
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

  test('changes do not pile up: a service that came and went a thousand times is one mark', async () => {
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

  test('its loss and its return are said once each', async () => {
    const world = rig();
    await world.reconciler.start();
    world.registry.away = true;
    for (let n = 0; n < 20; n++) world.run(n);
    await delay(30);
    world.registry.away = false;
    await world.reconciler.flush();
    expect(world.said).toEqual([
      expect.stringContaining('the registry is away: connection refused'),
      'shaky is back',
    ]);
  });

  test('what waits for its turn stays behind when the first writes fail', async () => {
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

  test('one that reads but takes no write is not retried hot, nor called back before it takes one', async () => {
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
    // Half of the ten milliseconds at the least, of which a timer may lack one.
    expect(failed).toBeLessThanOrEqual(1 + (performance.now() - started) / 4);
    expect(world.said).toHaveLength(1);
    world.registry.fault = () => {};
    await world.reconciler.flush();
    expect(world.said.at(-1)).toBe('shaky is back');
  });

  test('an answer that was lost on its way is no second write', async () => {
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

describe('a SERVICE_ID that the registry has of somebody else', () => {
  test('costs the id alone, and is taken when it is free', async () => {
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

  test('is known before anything is written: a service that has its own id stays as it is', async () => {
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

describe('what the registry refuses', () => {
  test('is said once, kept in the status, and does not stop the others', async () => {
    const world = rig();
    world.registry.refusals.set(id(1), 'no such service allowed');
    await world.reconciler.start();
    for (const n of [1, 2]) world.run(n);
    await world.reconciler.flush();
    await world.reconciler.recheck();
    await world.reconciler.flush();
    expect([...world.registry.services.keys()]).toEqual([id(2)]);
    expect(world.reconciler.status().errors).toEqual(new Map([[id(1), 'no such service allowed']]));
    expect(world.reconciler.refused(id(1))).toBe(true);
    expect(world.said).toEqual(['no such service allowed']);
    expect(world.registry.writes.filter((write) => write === `+${id(1)}`)).toHaveLength(1);
  });

  test('is tried again soon, one at a time; when one is taken, all are', async () => {
    const world = rig({ tryRefusedAfter: 20 });
    const all = [1, 2, 3, 4];
    for (const n of all) world.registry.refusals.set(id(n), `no write for ${n}`);
    await world.reconciler.start();
    for (const n of all) world.run(n);
    await world.reconciler.flush();
    world.registry.writes.length = 0;
    await vi.waitFor(() => expect(world.registry.writes.length).toBeGreaterThanOrEqual(4));
    expect(new Set(world.registry.writes.slice(0, 4)).size).toBe(4);
    expect(world.said).toHaveLength(4);
    world.registry.refusals.clear();
    await vi.waitFor(() => expectEqual(world));
  });

  test('counts against nobody while everybody is refused, and everything is written when nobody is', async () => {
    const world = rig();
    await world.reconciler.start();
    world.run(1);
    await world.reconciler.flush();
    const no = 'this token may nothing';
    for (const n of [1, 2]) world.registry.refusals.set(id(n), no);
    world.run(2);
    await world.reconciler.flush();
    expect(world.reconciler.refused(id(2))).toBe(true);
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
    await vi.waitFor(() => expect(world.said).toHaveLength(3));
    expect(world.reconciler.status().state).toBe('away');
    for (const n of [1, 2, 3]) expect(world.reconciler.refused(id(n)), `s${n}`).toBe(false);
    world.registry.fault = () => {};
    world.registry.refusals.clear();
    await vi.waitFor(() => expectEqual(world));
    await vi.waitFor(() => expect(world.said.at(-1)).toBe('shaky is back'));
    expect(world.said).toHaveLength(4);
  });

  test('is tried again with other content', async () => {
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

  test('is tried again at the periodic pass', async () => {
    const world = rig({ passEvery: 20 });
    world.registry.refusals.set(id(1), 'not now');
    await world.reconciler.start();
    world.run(1);
    await world.reconciler.flush();
    world.registry.refusals.clear();
    await vi.waitFor(() => expectEqual(world));
  });
});

describe('what the registry lost', () => {
  const losses = (world: Rig) => world.said.filter((line) => line.includes('had lost'));

  test('is said once a loss, and is none while it was not wanted or never there', async () => {
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
    const said = "shaky had lost 3 of this host's services; they are registered again";
    for (const expected of [[said], [said, said]]) {
      world.registry.wipe();
      await vi.waitFor(() => expectEqual(world));
      expect(losses(world)).toEqual(expected);
    }
  });

  test('while it was away is said when it is back; what ended meanwhile does not count', async () => {
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
    expect(losses(world)).toEqual(["shaky had lost 2 of this host's services; they are registered again"]);
  });
});

describe('services that the catalog does not serve', () => {
  const said = ['shaky took services that its catalog does not serve; they are registered again'];

  test('are reported once, until they are served', async () => {
    const world = rig({ servePatience: 5 });
    world.registry.notServed = ['x'];
    await world.reconciler.start();
    await vi.waitFor(() => expect(world.reconciler.status().unsynced).toEqual(['x']));
    await world.reconciler.recheck();
    expect(world.said).toEqual(said);
    world.registry.notServed = [];
    await world.reconciler.recheck();
    expect(world.reconciler.status().unsynced).toEqual([]);
  });

  test('are not, while the registry may still be about to serve them, however often it is looked at', async () => {
    const world = rig({ servePatience: 60_000 });
    world.run(1);
    world.registry.notServed = [id(1)];
    await world.reconciler.start();
    for (let look = 0; look < 3; look++) await world.reconciler.recheck();
    expect(world.reconciler.status().unsynced).toEqual([]);
    expect(world.said).toEqual([]);
  });

  test('are registered again, at once and then seldom, the second time from nothing; and no more once they are served', async () => {
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
    expect(world.said).toEqual(said);
    world.registry.notServed = [];
    expect(await written(60_000)).toEqual([]);
    // What was served already is not about to be served.
    world.registry.notServed = [id(1)];
    expect(await written(1)).toEqual([`+${id(1)}`]);
  });

  test('are not registered again where the registry knows why, and that this mends nothing', async () => {
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

  test('are given the same time again for another content', async () => {
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
    expect(world.said).toEqual([]);
    vi.advanceTimersByTime(200);
    await world.reconciler.recheck();
    expect(world.said).toEqual(said);
  });
});

test('a catalog that may not be compared is reported once, and looked at again until it may', async () => {
  const world = rig({ passEvery: 5 });
  world.registry.fault = (verb) => {
    if (verb === 'unsynced') throw new HeddleError('refused', 'the token needs more');
  };
  await world.reconciler.start();
  await world.reconciler.recheck();
  expect(world.reconciler.status()).toMatchObject({ unsynced: [], unsyncedWhy: 'the token needs more' });
  expect(world.said).toEqual(['the token needs more']);
  world.registry.fault = () => {};
  await vi.waitFor(() => expect(world.reconciler.status().unsyncedWhy).toBeUndefined());
});

describe('at a stop', () => {
  test('writes under way are finished and the entries stay', async () => {
    const world = rig();
    await world.reconciler.start();
    for (let n = 0; n < 20; n++) world.run(n);
    await world.reconciler.stop();
    expect(world.registry.services.size).toBe(20);
    expect(world.registry.watched).toBe(false);
    expect(world.desired.listenerCount('changed')).toBe(0);
    await world.reconciler.stop();
  });

  test('with deregister, all of ours go', async () => {
    const world = rig({ onStop: 'deregister' });
    await world.reconciler.start();
    for (let n = 0; n < 20; n++) world.run(n);
    await world.reconciler.stop();
    expect(world.registry.services.size).toBe(0);
  });

  test('with deregister, all of ours stay for a daemon that takes over', async () => {
    const world = rig({ onStop: 'deregister' });
    await world.reconciler.start();
    for (let n = 0; n < 20; n++) world.run(n);
    await world.reconciler.stop({ keep: true });
    expect(world.registry.services.size).toBe(20);
  });

  test('a registry that hangs does not hold it up', async () => {
    const world = rig({ onStop: 'deregister', stopPatience: 20 });
    await world.reconciler.start();
    world.registry.fault = (verb) => (verb === 'write' ? new Promise<never>(() => {}) : undefined);
    world.run(1);
    await delay(5);
    await world.reconciler.stop();
    expect(world.registry.services.size).toBe(0);
  });

  test('an aborted signal ends it at once', async () => {
    const world = rig();
    const abort = new AbortController();
    await world.reconciler.start(abort.signal);
    abort.abort();
    expect(world.reconciler.status().state).toBe('stopped');
    await world.reconciler.stop();
  });
});

test('whatever fails on the way, in the end the registry holds what is desired', async () => {
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

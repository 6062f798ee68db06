import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Follower } from '../../src/containers/follow.ts';
import type { Listed } from '../../src/docker/list.ts';
import type { Snapshot } from '../../src/docker/snapshot.ts';
import { HeddleError } from '../../src/errors.ts';
import { Roster } from '../../src/roster/roster.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { eventually } from '../support/eventually.ts';
import { entryFor, snapshot } from '../support/snapshot.ts';

/** An engine in memory, whose stream can break and whose answers can be held back. */
class FakeEngine {
  readonly address = 'unix:///fake.sock';
  readonly containersById = new Map<string, Snapshot>();
  readonly inspected: string[] = [];
  streams: PassThrough[] = [];
  gate: Promise<void> = Promise.resolve();
  away = false;

  #answer<T>(value: () => T): T {
    if (this.away) throw new HeddleError('unreachable', 'no engine');
    return value();
  }

  run(container: Snapshot): void {
    this.containersById.set(container.id, container);
    this.tell('start', container.id);
  }

  tell(action: string, id: string, attributes: Record<string, string> = {}): void {
    const event = {
      Type: 'container',
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      timeNano: 1,
    };
    for (const stream of this.streams) stream.write(`${JSON.stringify(event)}\n`);
  }

  async events(_since: number | undefined, signal: AbortSignal): Promise<PassThrough> {
    return this.#answer(() => {
      const stream = new PassThrough();
      signal.addEventListener('abort', () => stream.destroy());
      this.streams.push(stream);
      return stream;
    });
  }

  async containers(): Promise<readonly Listed[]> {
    const listed = ({ id, running }: Snapshot) => ({ id, state: String(running) });
    return this.#answer(() => Array.from(this.containersById.values(), listed));
  }

  async inspect(id: string): Promise<Snapshot | undefined> {
    this.inspected.push(id);
    const found = this.#answer(() => this.containersById.get(id));
    await this.gate;
    return found;
  }

  break(): void {
    const broken = this.streams;
    this.streams = [];
    for (const stream of broken) stream.destroy(new Error('hung up'));
  }
}

let engine: FakeEngine;
let roster: Roster;
let follower: Follower;
const names = () =>
  Array.from(
    roster.entries(),
    (entry) => `${entry.snapshot.name}${entry.snapshot.running ? '' : ' (not running)'}`,
  ).sort();

beforeEach(() => {
  engine = new FakeEngine();
  roster = new Roster();
  const observer = { observe: async (container: Snapshot) => entryFor(container) };
  follower = new Follower({ docker: engine, observer, roster, log: silentLogger });
});
afterEach(() => follower.stop());

describe('following the containers of an engine', () => {
  it('finds what runs already, and what starts, is renamed and is removed later', async () => {
    engine.containersById.set(snapshot('old').id, snapshot('old'));
    expect(roster.complete).toBe(false);
    follower.start();
    await follower.synced;
    expect(roster.complete).toBe(true);
    expect(names()).toEqual(['old']);
    engine.run(snapshot('new'));
    await eventually(() => expect(names()).toEqual(['new', 'old']));
    engine.containersById.set(snapshot('new').id, snapshot('new', { name: 'renamed' }));
    engine.tell('rename', snapshot('new').id);
    await eventually(() => expect(names()).toEqual(['old', 'renamed']));
    engine.containersById.delete(snapshot('new').id);
    engine.tell('destroy', snapshot('new').id);
    await eventually(() => expect(names()).toEqual(['old']));
  });

  it('removes a container from the answers at its die event, before Docker has answered the inspection', async () => {
    follower.start();
    engine.containersById.set(snapshot('web').id, snapshot('web'));
    await follower.synced;
    await follower.mark(snapshot('web').id);
    const held = Promise.withResolvers<void>();
    engine.gate = held.promise;
    engine.containersById.set(snapshot('web').id, snapshot('web', { running: false, pid: 0 }));
    engine.tell('die', snapshot('web').id);
    await eventually(() => expect(names()).toEqual(['web (not running)']));
    held.resolve();
  });

  it('never brings back a container that died during its inspection', async () => {
    follower.start();
    await follower.synced;
    const shown: boolean[] = [];
    roster.on('set', (entry) => shown.push(entry.snapshot.running));
    const held = Promise.withResolvers<void>();
    engine.gate = held.promise;
    engine.run(snapshot('brief'));
    await eventually(() => expect(engine.inspected).toHaveLength(1));
    engine.containersById.set(snapshot('brief').id, snapshot('brief', { running: false, pid: 0 }));
    engine.tell('die', snapshot('brief').id);
    await sleep(20);
    held.resolve();
    await eventually(() => expect(shown).toEqual([false]));
  });

  it('inspects once for a burst of events about one container', async () => {
    follower.start();
    await follower.synced;
    const held = Promise.withResolvers<void>();
    engine.gate = held.promise;
    engine.run(snapshot('web'));
    await eventually(() => expect(engine.inspected).toHaveLength(1));
    for (let i = 0; i < 100; i++) engine.tell('update', snapshot('web').id);
    await sleep(20);
    held.resolve();
    await eventually(() => expect(names()).toEqual(['web']));
    expect(engine.inspected.length).toBe(2);
  });

  it('inspects everything again after the stream was lost', async () => {
    follower.start();
    await follower.synced;
    engine.away = true;
    engine.break();
    await eventually(() => expect(follower.status().stream).toBe('lost'));
    engine.containersById.set(snapshot('meanwhile').id, snapshot('meanwhile'));
    engine.away = false;
    await eventually(() => expect(names()).toEqual(['meanwhile']));
    expect(follower.status()).toMatchObject({ stream: 'following', reconnects: 1 });
  });

  it('starts before the engine does', async () => {
    engine.away = true;
    follower.start();
    await sleep(50);
    expect(follower.status()).toMatchObject({ stream: 'connecting', synced: false });
    engine.containersById.set(snapshot('web').id, snapshot('web'));
    engine.away = false;
    await follower.synced;
    expect(names()).toEqual(['web']);
  });

  it('soon inspects a container again that could not be inspected', async () => {
    follower.start();
    await follower.synced;
    engine.containersById.set(snapshot('web').id, snapshot('web'));
    engine.away = true;
    await follower.mark(snapshot('web').id);
    expect(names()).toEqual([]);
    engine.away = false;
    await eventually(() => expect(names()).toEqual(['web']));
  });

  it('inspects all containers of a namespace when something changes in it', async () => {
    follower.start();
    engine.containersById.set(snapshot('web').id, snapshot('web', { pid: 7 }));
    engine.containersById.set(snapshot('other').id, snapshot('other', { pid: 8 }));
    await follower.synced;
    await follower.mark(snapshot('web').id);
    engine.inspected.length = 0;
    follower.namespaceChanged(roster.get(snapshot('web').id)?.namespace);
    await eventually(() => expect(engine.inspected).toEqual([snapshot('web').id]));
  });

  it('inspects once more, after the first scan, what has changed during it', async () => {
    const web = snapshot('web', { pid: 7 });
    const gate = Promise.withResolvers<void>();
    engine.gate = gate.promise;
    for (const container of [web, snapshot('other', { pid: 8 })])
      engine.containersById.set(container.id, container);
    follower.start();
    await eventually(() => expect(engine.inspected).toHaveLength(2));
    for (let times = 0; times < 3; times++) follower.namespaceChanged(7);
    gate.resolve();
    await follower.synced;
    await eventually(() => expect(engine.inspected.slice(2)).toEqual([web.id]));
  });

  it('inspects nothing twice for changes before the first scan, which a new watch reports for every namespace', async () => {
    engine.containersById.set(snapshot('web').id, snapshot('web', { pid: 7 }));
    follower.namespaceChanged(undefined);
    follower.start();
    await follower.synced;
    await sleep(50);
    expect(engine.inspected).toHaveLength(1);
  });
});

describe('a container that is asked to stop', () => {
  const web = snapshot('web', { stop: { signal: 3, timeout: 0 } });
  const draining = () => roster.get(web.id)?.draining === true;
  const follow = async () => {
    engine.containersById.set(web.id, web);
    follower.start();
    await follower.synced;
  };

  it.each(['3', '15'])(
    'by signal %s is drained, and counts again when it outlives its stop timeout',
    async (signal) => {
      await follow();
      engine.tell('kill', web.id, { signal });
      await eventually(() => expect(draining()).toBe(true));
      await follower.inspect(web.id);
      expect(draining()).toBe(true);
      await eventually(() => expect(draining()).toBe(false));
      expect(roster.get(web.id)?.snapshot.running).toBe(true);
    },
  );

  it('and starts again is no longer drained', async () => {
    await follow();
    engine.tell('kill', web.id, { signal: '3' });
    await eventually(() => expect(draining()).toBe(true));
    engine.tell('die', web.id);
    engine.tell('start', web.id);
    await sleep(20);
    await follower.inspect(web.id);
    expect(draining()).toBe(false);
  });

  it.each(['1', '10', '9', ''])('is not drained by signal %j', async (signal) => {
    await follow();
    engine.tell('kill', web.id, { signal });
    await sleep(20);
    expect(draining()).toBe(false);
  });

  it('is not drained where drains are disabled', async () => {
    const observer = { observe: async (container: Snapshot) => entryFor(container) };
    follower = new Follower({ docker: engine, observer, roster, log: silentLogger }, { drain: false });
    await follow();
    engine.tell('kill', web.id, { signal: '3' });
    await sleep(20);
    expect(draining()).toBe(false);
  });
});

it('a periodic scan inspects the containers whose listed state changed, and a share of the others', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const idOf = (number: number) => number.toString(16).padStart(8, '0').padEnd(64, '0');
    const run = (number: number, changes: Partial<Snapshot> = {}) => {
      const container = snapshot(`c${number}`, { id: idOf(number), ...changes });
      engine.containersById.set(container.id, container);
    };
    for (let number = 0; number <= 40; number++) run(number);
    follower.start();
    await follower.synced;
    await sleep(1);
    run(40, { running: false, pid: 0 });
    engine.inspected.length = 0;
    vi.advanceTimersByTime(60_000);
    await eventually(() => expect(names()).toContain('c40 (not running)'));
    expect(engine.inspected.length).toBeLessThan(20);
    follower.fullScan();
    await eventually(() => expect(engine.inspected.length).toBeGreaterThan(40));
  } finally {
    vi.useRealTimers();
  }
});

import { beforeEach, describe, expect, it } from 'vitest';
import { Lifecycle, type Step } from '../../src/daemon/lifecycle.ts';
import { eventually } from '../support/eventually.ts';

let lifecycle: Lifecycle;
let did: string[];
beforeEach(() => {
  lifecycle = new Lifecycle();
  did = [];
});

/** A part whose start can be delayed. */
const part = (name: string, started: Promise<void> = Promise.resolve()) => ({
  start: () => started.then(() => void did.push(`${name} starts`)),
  stop: async () => void did.push(`${name} stops`),
});

const order = (...names: string[]): Step[] => names.map((name) => [name, part(name)]);

describe('what a process has started', () => {
  it('is stopped backwards, once', async () => {
    await lifecycle.start(order('socket', 'names', 'events'));
    did = [];
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(did.toSorted()).toEqual(['events stops', 'names stops', 'socket stops']);
    expect(did[0]).toBe('events stops');
  });

  it('is handed over except for the first part, and only once', async () => {
    await lifecycle.start(order('socket', 'names', 'events'));
    did = [];
    const handOver = lifecycle.handOver();
    await expect(lifecycle.handOver()).rejects.toThrow('it is handing over already');
    await handOver;
    expect(did).toEqual(['events stops', 'names stops']);
    expect(lifecycle.handingOver).toBe(true);
    await lifecycle.stop();
    expect(did.at(-1)).toBe('socket stops');
  });

  it('is not handed over while it still starts: parts that start later would go on', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const starting = lifecycle.start([...order('socket', 'names'), ['events', part('events', promise)]]);
    await eventually(() => expect(did).toHaveLength(2));
    await expect(lifecycle.handOver()).rejects.toThrow('it is still starting');
    expect(did).toEqual(['socket starts', 'names starts']);
    resolve();
    await starting;
    await lifecycle.handOver();
    expect(did.slice(2)).toEqual(['events starts', 'events stops', 'names stops']);
  });

  it('may be stopped only, started only, or left out', async () => {
    const { start } = part('range');
    const { stop } = part('state');
    await lifecycle.start([
      ['range', { start }],
      ['socket', part('socket')],
      ['state', { stop }],
      ['fetcher', undefined],
    ]);
    await lifecycle.handOver();
    expect(did).toEqual(['range starts', 'socket starts', 'state stops']);
  });

  it('is not handed over while it stops', async () => {
    await lifecycle.start(order('socket'));
    await lifecycle.stop();
    await expect(lifecycle.handOver()).rejects.toThrow('it is stopping');
  });
});

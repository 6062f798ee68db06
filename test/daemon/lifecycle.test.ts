import { beforeEach, describe, expect, it } from 'vitest';
import { Lifecycle } from '../../src/daemon/lifecycle.ts';

let lifecycle: Lifecycle;
let did: string[];
beforeEach(() => {
  lifecycle = new Lifecycle();
  did = [];
});

/** A part whose start can be held up. */
const part = (name: string, started: Promise<void> = Promise.resolve()) => ({
  start: () => started.then(() => void did.push(`${name} starts`)),
  stop: async () => void did.push(`${name} stops`),
});

describe('what a process has started', () => {
  it('is stopped backwards, once', async () => {
    for (const name of ['socket', 'names', 'events']) await lifecycle.begin(part(name));
    did = [];
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(did.toSorted()).toEqual(['events stops', 'names stops', 'socket stops']);
    expect(did[0]).toBe('events stops');
  });

  it('is handed over but for the first part, and by one only', async () => {
    for (const name of ['socket', 'names', 'events']) await lifecycle.begin(part(name));
    lifecycle.complete();
    did = [];
    const handOver = lifecycle.handOver();
    await expect(lifecycle.handOver()).rejects.toThrow('it is handing over already');
    await handOver;
    expect(did).toEqual(['events stops', 'names stops']);
    expect(lifecycle.handingOver).toBe(true);
    await lifecycle.stop();
    expect(did.at(-1)).toBe('socket stops');
  });

  it('is not handed over while it still starts: what begins afterwards would go on', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await lifecycle.begin(part('socket'));
    await lifecycle.begin(part('names'));
    const beginning = lifecycle.begin(part('events', promise));
    await expect(lifecycle.handOver()).rejects.toThrow('it is still starting');
    expect(did).toEqual(['socket starts', 'names starts']);
    resolve();
    await beginning;
    lifecycle.complete();
    await lifecycle.handOver();
    expect(did.slice(2)).toEqual(['events starts', 'events stops', 'names stops']);
  });

  it('is not handed over while it stops', async () => {
    await lifecycle.begin(part('socket'));
    lifecycle.complete();
    await lifecycle.stop();
    await expect(lifecycle.handOver()).rejects.toThrow('it is stopping');
  });
});

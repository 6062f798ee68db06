import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Heartbeats } from '../../src/checks/heartbeats.ts';
import { Desired } from '../../src/registry/reconcile/desired.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

const container = containerId('a');
const env = { SERVICE_CHECK_TTL: '30s' };
const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
const beat = vi.fn();
const heartbeats = new Heartbeats({ desired, beat });

beforeEach(() => {
  vi.useFakeTimers();
  heartbeats.start();
});

afterEach(async () => {
  desired.delete(container);
  await heartbeats.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  beat.mockClear();
});

test('a TTL check is reported three times within its TTL, while its container runs', () => {
  desired.set(entryOf({ id: container, env }));
  vi.advanceTimersByTime(30_000);
  expect(beat.mock.calls).toEqual([1, 2, 3].map(() => [`heddle:h1:${container.slice(0, 12)}:0`]));
  desired.set(entryOf({ id: container, env, running: false }));
  vi.advanceTimersByTime(60_000);
  expect(beat).toHaveBeenCalledTimes(3);
  expect(vi.getTimerCount()).toBe(0);
});

test('all TTL checks of a container are reported 50 times a second at most', async () => {
  const ports = Array.from({ length: 256 }, (_, n) => 1 + n);
  desired.set(entryOf({ id: container, env: { SERVICE_CHECK_TTL: '1s' }, ports, health: 'healthy' }));
  await vi.advanceTimersByTimeAsync(1_000);
  beat.mockClear();
  const beatsOfEachSecond: number[] = [];
  for (let second = 0; second < 103; second++) {
    const before = beat.mock.calls.length;
    vi.advanceTimersByTime(1_000);
    beatsOfEachSecond.push(beat.mock.calls.length - before);
  }
  // Each report contains the HEALTHCHECK: 512 reports in 10.3 s, and by chance twice as many in one of these seconds.
  expect(beat).toHaveBeenCalledTimes(10 * 256);
  expect(Math.max(...beatsOfEachSecond) * 2).toBeLessThanOrEqual(120);
});

test('a HEALTHCHECK is reported again every hour, a service without such checks never', () => {
  desired.set(entryOf({ id: container, env: {}, health: 'healthy' }));
  vi.advanceTimersByTime(3_600_000);
  expect(beat).toHaveBeenCalledTimes(1);
  desired.set(entryOf({ id: container, env: { SERVICE_NAME: 'other' } }));
  expect(vi.getTimerCount()).toBe(0);
});

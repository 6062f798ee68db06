import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Throttle } from '../../src/network/throttle.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function rig() {
  const called: string[] = [];
  return { called, throttle: new Throttle<string>((key) => called.push(key), { burst: 3, everyMs: 100 }) };
}

describe('a throttle', () => {
  it('runs the first calls, then one per interval, and always the last one', () => {
    const { called, throttle } = rig();
    for (let time = 0; time < 1_000; time++) {
      throttle.call('flapping');
      vi.advanceTimersByTime(1);
    }
    expect(called.length).toBeGreaterThanOrEqual(3 + 9);
    expect(called.length).toBeLessThanOrEqual(3 + 11);
    const before = called.length;
    throttle.call('flapping');
    vi.advanceTimersByTime(100);
    expect(called.length).toBeGreaterThan(before);
  });

  it('limits each key separately', () => {
    const { called, throttle } = rig();
    for (let count = 0; count < 100; count++) throttle.call('flapping');
    throttle.call('honest');
    expect(called).toEqual(['flapping', 'flapping', 'flapping', 'honest']);
  });

  it('regains its burst, and forgets keys with a full burst', () => {
    const { called, throttle } = rig();
    for (let count = 0; count < 3; count++) throttle.call('a');
    vi.advanceTimersByTime(1_000);
    for (let count = 0; count < 3; count++) throttle.call('a');
    expect(called).toHaveLength(6);
    for (let count = 0; count < 500; count++) {
      vi.advanceTimersByTime(400);
      throttle.call(`key ${count}`);
    }
    expect(throttle.size).toBeLessThan(20);
  });

  it('forgets silent keys among busy ones', () => {
    const { throttle } = rig();
    for (let count = 0; count < 500; count++) {
      vi.advanceTimersByTime(250);
      for (let busy = 0; busy < 5; busy++) throttle.call(`busy ${busy}`);
      throttle.call(`key ${count}`);
    }
    expect(throttle.size).toBeLessThan(20);
  });

  it('makes no call after stop', () => {
    const { called, throttle } = rig();
    for (let count = 0; count < 10; count++) throttle.call('a');
    throttle.stop();
    vi.advanceTimersByTime(1_000);
    expect(called).toHaveLength(3);
  });
});

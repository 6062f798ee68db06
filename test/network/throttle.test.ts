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
  return { called, pace: new Throttle<string>((key) => called.push(key), { burst: 3, everyMs: 100 }) };
}

describe('a pace', () => {
  it('lets the first calls through, then one in a while, and the last one always', () => {
    const { called, pace } = rig();
    for (let time = 0; time < 1_000; time++) {
      pace.call('flapping');
      vi.advanceTimersByTime(1);
    }
    expect(called.length).toBeGreaterThanOrEqual(3 + 9);
    expect(called.length).toBeLessThanOrEqual(3 + 11);
    const before = called.length;
    pace.call('flapping');
    vi.advanceTimersByTime(100);
    expect(called.length).toBeGreaterThan(before);
  });

  it('is each key’s own', () => {
    const { called, pace } = rig();
    for (let count = 0; count < 100; count++) pace.call('flapping');
    pace.call('honest');
    expect(called).toEqual(['flapping', 'flapping', 'flapping', 'honest']);
  });

  it('regains its burst, and forgets who has it whole', () => {
    const { called, pace } = rig();
    for (let count = 0; count < 3; count++) pace.call('a');
    vi.advanceTimersByTime(1_000);
    for (let count = 0; count < 3; count++) pace.call('a');
    expect(called).toHaveLength(6);
    for (let count = 0; count < 500; count++) {
      vi.advanceTimersByTime(400);
      pace.call(`key ${count}`);
    }
    expect(pace.size).toBeLessThan(20);
  });

  it('forgets who is silent behind others who are not', () => {
    const { pace } = rig();
    for (let count = 0; count < 500; count++) {
      vi.advanceTimersByTime(250);
      for (let busy = 0; busy < 5; busy++) pace.call(`busy ${busy}`);
      pace.call(`key ${count}`);
    }
    expect(pace.size).toBeLessThan(20);
  });

  it('calls nobody after it was stopped', () => {
    const { called, pace } = rig();
    for (let count = 0; count < 10; count++) pace.call('a');
    pace.stop();
    vi.advanceTimersByTime(1_000);
    expect(called).toHaveLength(3);
  });
});

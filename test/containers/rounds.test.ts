import { describe, expect, it } from 'vitest';
import { Rounds } from '../../src/containers/rounds.ts';

const id = (number: number) => number.toString(16).padStart(8, '0').padEnd(64, 'a');
const listed = (count: number, state: (index: number) => string = () => 'running') =>
  Array.from({ length: count }, (_, index) => ({ id: id(index), state: state(index) }));
const LIGHT = { whole: false };

describe('which containers a scan inspects', () => {
  it('inspects all of them in a full scan', () => {
    const rounds = new Rounds();
    rounds.select(listed(50), { whole: true });
    expect(rounds.select(listed(50), { whole: true })).toHaveLength(50);
  });

  it('inspects all that were not listed before', () => {
    expect(new Rounds().select(listed(50), LIGHT)).toHaveLength(50);
  });

  it('inspects each of the unchanged ones once in ten scans', () => {
    const rounds = new Rounds();
    rounds.select(listed(100), { whole: true });
    const passes = Array.from({ length: 10 }, () => rounds.select(listed(100), LIGHT));
    expect(passes.map((due) => due.length)).toEqual(Array(10).fill(10));
    expect(new Set(passes.flat()).size).toBe(100);
  });

  it('inspects a hundred of many in one scan, and all of them in time', () => {
    const rounds = new Rounds();
    rounds.select(listed(5000), { whole: true });
    const passes = Array.from({ length: 50 }, () => rounds.select(listed(5000), LIGHT));
    expect(passes.map((due) => due.length)).toEqual(Array(50).fill(100));
    expect(new Set(passes.flat()).size).toBe(5000);
  });

  it('inspects what the engine lists with another state at once, and only once', () => {
    const rounds = new Rounds();
    rounds.select(listed(100), { whole: true });
    const paused = listed(100, (index) => (index === 42 ? 'paused' : 'running'));
    expect(rounds.select(paused, LIGHT)).toContain(id(42));
    const next = Array.from({ length: 8 }, () => rounds.select(paused, LIGHT));
    expect(next.flat().filter((one) => one === id(42)).length).toBeLessThanOrEqual(1);
  });

  it('inspects all of them when the addresses of the host have changed', () => {
    const rounds = new Rounds();
    rounds.select(listed(50), { whole: true, hostFingerprint: '192.0.2.1' });
    expect(rounds.select(listed(50), { whole: false, hostFingerprint: '192.0.2.1' }).length).toBeLessThan(50);
    expect(rounds.select(listed(50), { whole: false, hostFingerprint: '192.0.2.2' })).toHaveLength(50);
  });
});

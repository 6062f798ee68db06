import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HeddleError } from '../../../src/errors.ts';
import { LastKnown } from '../../../src/registry/view/last-known.ts';
import { unreachable } from '../../support/shaky-registry.ts';

interface Answer {
  readonly n: number;
}

describe('the last known answer', () => {
  let asked: string[];
  let away: boolean;
  let known: LastKnown<Answer>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    asked = [];
    away = false;
    known = new LastKnown(async (key): Promise<Answer> => {
      asked.push(key);
      await new Promise(setImmediate);
      if (away) throw unreachable();
      return { n: asked.length };
    });
  });

  afterEach(() => vi.useRealTimers());

  test('is looked up once for all waiting callers', async () => {
    const answers = await Promise.all([known.get('web'), known.get('web'), known.get('db')]);
    expect(answers[0]).toBe(answers[1]);
    expect(asked).toEqual(['web', 'db']);
  });

  test('is returned at once for a second, and then looked up again', async () => {
    const first = await known.get('web');
    vi.advanceTimersByTime(999);
    expect(known.get('web')).toBe(first);
    vi.advanceTimersByTime(1);
    expect(await known.get('web')).toEqual({ n: 2 });
  });

  test('stays valid while the registry does not answer, with one lookup a second', async () => {
    const first = await known.get('web');
    away = true;
    vi.advanceTimersByTime(1000);
    expect(await known.get('web')).toBe(first);
    for (let n = 0; n < 10; n++) expect(known.get('web')).toBe(first);
    expect(asked).toHaveLength(2);
    vi.advanceTimersByTime(1000);
    away = false;
    expect(await known.get('web')).toEqual({ n: 3 });
  });

  test('is an error if there never was one, at once for a second', async () => {
    away = true;
    await expect(known.get('web')).rejects.toThrow('connection refused');
    expect(() => known.get('other')).toThrow('connection refused');
    expect(asked).toEqual(['web']);
  });

  test('is kept for a bounded number of names', async () => {
    known = new LastKnown(async (key) => ({ n: Number(key) }), { most: 2 });
    for (const key of ['1', '2', '3']) await known.get(key);
    expect(known.get('3')).toEqual({ n: 3 });
    expect(known.get('1')).toBeInstanceOf(Promise);
  });

  test('is not evicted by unknown names, which evict each other', async () => {
    const none: readonly number[] = [];
    const lists = new LastKnown(async (key) => (key === 'web' ? [1] : none), {
      isEmpty: ({ length }) => length === 0,
    });
    await lists.get('web');
    for (let n = 0; n < 11_000; n++) lists.learn(`n${n}`, none);
    expect(lists.peek('web')).toEqual([1]);
    expect([lists.peek('n0'), lists.peek('n10999')]).toEqual([undefined, none]);
    expect(lists.size).toBe(1001);
  });

  test('is the latest one, whether the one before was empty or not', async () => {
    const lists = new LastKnown<readonly number[]>(async () => [], { isEmpty: ({ length }) => length === 0 });
    for (const value of [[1], [], [2]]) {
      lists.learn('web', value);
      expect([lists.peek('web'), lists.get('web'), lists.size]).toEqual([value, value, 1]);
    }
  });

  test('is refused for one name without effect on the others, and looked up again a second later', async () => {
    const refused = new HeddleError('refused', 'the answer is too long');
    const asking: string[] = [];
    const names = new LastKnown(async (key): Promise<Answer> => {
      asking.push(key);
      if (key === 'long') throw refused;
      return { n: asking.length };
    });
    await expect(async () => names.get('long')).rejects.toThrow(refused.message);
    expect(() => names.get('long')).toThrow(refused.message);
    expect(await names.get('web')).toEqual({ n: 2 });
    expect(asking).toEqual(['long', 'web']);
    vi.advanceTimersByTime(1000);
    await expect(async () => names.get('long')).rejects.toThrow(refused.message);
    expect(asking).toEqual(['long', 'web', 'long']);
  });

  test('is kept up to a number of bytes; a longer one is not kept at all', async () => {
    const options = { mostBytes: 1000, bytesOf: ({ n }: Answer) => n };
    const sized = new LastKnown(async (key): Promise<Answer> => ({ n: Number(key) }), options);
    for (const key of ['400', '401', '402', '2000']) await sized.get(key);
    expect(sized.size).toBe(2);
    expect([sized.peek('400'), sized.peek('402')?.n, sized.peek('2000')]).toEqual([
      undefined,
      402,
      undefined,
    ]);
  });

  test('rejects a flood of names instead of queueing it', async () => {
    const release = Promise.withResolvers<void>();
    known = new LastKnown(async (key) => release.promise.then(() => ({ n: key.length })));
    const asking = Array.from({ length: 1032 }, (_, n) => known.get(`n${n}`));
    expect(() => known.get('one-more')).toThrow('too many concurrent lookups');
    release.resolve();
    expect(await Promise.all(asking)).toHaveLength(1032);
  });

  test('leaves room for the names of other clients', async () => {
    const release = Promise.withResolvers<void>();
    known = new LastKnown(async (key) => release.promise.then(() => ({ n: key.length })));
    const asking: unknown[] = [];
    const flood = () => {
      for (let n = 0; n < 1032; n++) asking.push(known.get(`n${n}`, '10.2.1.1'));
    };
    expect(flood).toThrow('too many concurrent lookups');
    expect(asking).toHaveLength(207);
    expect(known.get('n0', '10.2.1.1')).toBe(asking[0]);
    asking.push(known.get('one-more', '10.2.1.2'));
    release.resolve();
    await Promise.all(asking);
    asking.length = 0;
    expect(() => {
      for (let n = 0; n < 1032; n++) asking.push(known.get(`again${n}`, '10.2.1.1'));
    }).toThrow('too many concurrent lookups');
    expect(asking).toHaveLength(207);
    await Promise.all(asking);
  });

  test('aborts a lookup that takes too long', async () => {
    vi.useRealTimers();
    known = new LastKnown((_, signal) => delay(5000, { n: 1 }, { signal }), { patience: 10 });
    await expect(known.get('web')).rejects.toThrow('aborted');
  });
});

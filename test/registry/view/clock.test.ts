import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LastKnown } from '../../../src/registry/view/last-known.ts';

/** Sets the system clock, but not the monotonic clock that measures ages. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

it.each([
  ['back', -3_600_000],
  ['forward', 3_600_000],
])('a clock that is set %s an hour makes no answer older or younger', async (_, by) => {
  let asked = 0;
  const known = new LastKnown(async () => ({ asked: ++asked }), { freshFor: 200 });
  expect((await known.get('absent')).asked).toBe(1);
  vi.setSystemTime(Date.now() + by);
  expect((await known.get('absent')).asked).toBe(1);
  await vi.waitFor(async () => expect((await known.get('absent')).asked).toBeGreaterThan(1), {
    timeout: 5_000,
  });
});

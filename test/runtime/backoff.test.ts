import { expect, test } from 'vitest';
import { backoff, WITHOUT_JITTER } from '../../src/runtime/backoff.ts';

const RETRY = { first: 100, longest: 500 };
const failures = [1, 2, 3, 4, 100];

test('the delay doubles with each failure, up to the longest', () => {
  expect(failures.map((count) => backoff(count, RETRY, WITHOUT_JITTER))).toEqual([100, 200, 400, 500, 500]);
});

test('jitter shortens a delay by up to half', () => {
  expect(failures.map((count) => backoff(count, RETRY, () => 0))).toEqual([50, 100, 200, 250, 250]);
  const delay = backoff(1, RETRY);
  expect(delay).toBeGreaterThanOrEqual(50);
  expect(delay).toBeLessThanOrEqual(100);
});

import { expect, test } from 'vitest';
import { milliseconds } from '../../../src/services/checks/duration.ts';

test.each([
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
  ['1h1ms', 3_600_001],
  ['500us', 0.5],
  ['2µs', 0.002],
  ['0s', 0],
  ['10', undefined],
  ['', undefined],
  ['-1s', undefined],
  ['1d', undefined],
  ['1s ', undefined],
])('%s is %s ms', (text, expected) => {
  expect(milliseconds(text)).toEqual(expected);
});

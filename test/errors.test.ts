import { expect, test } from 'vitest';
import { HeddleError, hasCode, isDenied } from '../src/errors.ts';

test.each([
  [new HeddleError('not-found', 'no such container'), true],
  [new HeddleError('refused', 'no'), false],
  [Object.assign(new Error('another library'), { code: 'not-found' }), false],
  [undefined, false],
])('%s has the code not-found: %s', (error, expected) => {
  expect(hasCode(error, 'not-found')).toBe(expected);
});

test.each([
  ['EACCES', true],
  ['EPERM', true],
  ['ENOENT', false],
  [13, false],
])('a system error with code %s is denied: %s', (code, expected) => {
  expect(isDenied(Object.assign(new Error('failed'), { code }))).toBe(expected);
});

test('a value that is no error is not denied', () => {
  expect(isDenied('EACCES')).toBe(false);
});

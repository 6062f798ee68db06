import { expect, test } from 'vitest';
import { unanswered } from '../../../src/dns/forward/unanswered.ts';
import { HeddleError } from '../../../src/errors.ts';

test('a question without an answer costs no stack, and other errors keep theirs', () => {
  const before = Error.stackTraceLimit;
  const error = unanswered('no upstream server answered');
  expect(error).toBeInstanceOf(HeddleError);
  expect(error).toMatchObject({ code: 'unreachable', message: 'no upstream server answered' });
  expect(error.stack).not.toContain('\n    at ');
  expect(Error.stackTraceLimit).toBe(before);
  expect(new Error('another').stack).toContain('\n    at ');
});

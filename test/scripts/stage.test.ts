import { expect, test } from 'vitest';
import { containing, exactly } from '../../scripts/demo/stage.ts';

test.each([
  ['10.2.1.2\n10.2.1.1', true],
  ['10.2.1.1', false],
  ['10.2.1.1\n10.2.1.2\n10.2.1.3', false],
  ['10.2.1.1\n10.2.1.1', false],
  ['', false],
])('both lines and no others, in any order: %j', (output, right) => {
  expect(exactly('10.2.1.1', '10.2.1.2')(output) === undefined).toBe(right);
});

test('the message names what is missing in an output', () => {
  expect(containing('ethwe', 'web')('ethwe is up')).toContain('web');
  expect(containing('ethwe', 'web')('web on ethwe')).toBeUndefined();
});

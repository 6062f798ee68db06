import { expect, it } from 'vitest';
import { unknownVariables } from '../../src/config/unknown-variables.ts';

it.each([
  ['HEDDLE_DNS_LISTN', /HEDDLE_DNS_LISTN has no effect: .*did you mean HEDDLE_DNS_LISTEN\?$/],
  ['HEDDLE_REGISTRI', /did you mean HEDDLE_REGISTRY\?$/],
  // The switch that turns something off is named for what it turns off.
  ['HEDDLE_NO_ATTACH', /did you mean HEDDLE_ATTACH\?$/],
  ['HEDDLE_SOMETHING_ELSE', /see docs\/settings\.md$/],
])('%s is said to be none', (name, sentence) => {
  expect(unknownVariables({ [name]: 'x', PATH: '/bin', HEDDLE_MTU: '1400' })).toEqual([
    expect.stringMatching(sentence),
  ]);
});

it('those that there are, and those of others, are left alone', () => {
  const env = {
    HEDDLE_CONFIG: 'x',
    HEDDLE_MTU: '1',
    HEDDLE_CONSUL_TOKEN: 't',
    WEAVE_MTU: '1',
    CONSUL_X: 'y',
  };
  expect(unknownVariables(env)).toEqual([]);
});

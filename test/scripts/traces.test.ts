import { expect, test } from 'vitest';
import { differences } from '../../scripts/world/traces.ts';

test('each trace that has appeared or disappeared is named with its kind', () => {
  const before = { device: ['lo', 'eth0'], rule: ['-P FORWARD ACCEPT'] };
  const after = { device: ['lo', 'docker0'], rule: ['-P FORWARD DROP'] };
  expect(differences(before, after)).toEqual([
    'device left on the host: docker0',
    'device of the host is gone: eth0',
    'rule left on the host: -P FORWARD DROP',
    'rule of the host is gone: -P FORWARD ACCEPT',
  ]);
  expect(differences(before, before)).toEqual([]);
});

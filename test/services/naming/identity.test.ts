import { describe, expect, test } from 'vitest';
import { differs, withOwnerMeta } from '../../../src/services/naming/identity.ts';
import { addressesOf, DEFAULT_WEIGHTS, type Service } from '../../../src/services/service.ts';
import { containerId } from '../../support/snapshot.ts';

const BOTH = { ipv4: '10.2.1.1', ipv6: 'fd00::1' };

const serviceOf = (changes: Partial<Service> = {}): Service => ({
  id: 'web-1',
  name: 'web',
  tags: ['v1'],
  address: '10.2.1.1',
  port: 80,
  meta: { region: 'eu' },
  checks: [],
  weights: DEFAULT_WEIGHTS,
  ...changes,
});
const ours = (changes?: Partial<Service>) => withOwnerMeta(serviceOf(changes), 'h1', containerId('c0ffee'));

describe('a registered service', () => {
  const single = ours();
  const free = { ...single, enableTagOverride: true };
  const both = ours({ addresses: BOTH });

  test.each<[string, Service, Service, boolean]>([
    ['is right', single, single, false],
    ['is right in both families', both, both, false],
    ['has another address', { ...single, address: '10.9.9.9' }, single, true],
    ['has another IPv6 address', { ...both, addresses: { ...BOTH, ipv6: 'fd00::9' } }, both, true],
    ['has an IPv6 address too many', { ...single, addresses: BOTH }, single, true],
    ['has one from when there was no other', single, both, true],
    ['has both from when there was another', both, single, true],
    ['stores only one address of a service', { ...single, meta: both.meta }, both, false],
    ['has other tags', { ...single, tags: [] }, single, true],
    ['has other tags, as others may', { ...free, tags: [] }, free, false],
  ])('%s', (_, held, wanted, expected) => {
    expect(differs(held, wanted)).toBe(expected);
  });
});

test.each<[Partial<Service>, string[]]>([
  [{}, ['10.2.1.1']],
  [{ addresses: BOTH }, ['10.2.1.1', 'fd00::1']],
  [{ address: 'fd00::1' }, ['fd00::1']],
  [{ addresses: { ipv6: 'fd00::1' } }, ['10.2.1.1', 'fd00::1']],
  [{ addresses: { ipv4: '10.9.9.9' } }, ['10.9.9.9']],
  [{ address: '', addresses: { ipv6: 'fd00::1' } }, ['fd00::1']],
  [{ address: 'backend.example.com' }, ['backend.example.com']],
  [{ address: '' }, []],
])('a service with %j is answered at %j', (changes, expected) => {
  expect(addressesOf(serviceOf(changes))).toEqual(expected);
});

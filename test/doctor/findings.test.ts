import { describe, expect, it } from 'vitest';
import { findCapabilities } from '../../src/doctor/capabilities.ts';
import { findClock } from '../../src/doctor/clock.ts';
import { findKernel } from '../../src/doctor/kernel.ts';

describe('what doctor finds of capabilities', () => {
  it.each([
    ['root', '000001ffffffffff', 'ok', /all/],
    ['what our container is given', '0000000000281c00', 'ok', /all/],
    ['Docker’s default', '00000000a80425fb', 'failed', /no NET_ADMIN.*no SYS_ADMIN.*no SYS_PTRACE/],
    ['nobody', '0000000000000000', 'failed', /no NET_BIND_SERVICE: answering on port 53/],
  ])('%s', (_, effective, state, detail) => {
    const finding = findCapabilities(`Name:\tnode\nCapInh:\t0\nCapEff:\t${effective}\nCapBnd:\t0\n`);
    expect(finding).toMatchObject({ state, detail: expect.stringMatching(detail) });
  });

  it('advises only what is missing', () => {
    const { advice } = findCapabilities('CapEff:\t0000000000281800\n');
    expect(advice).toBe('run as root, or with --cap-add NET_BIND_SERVICE');
  });

  it('says that it cannot tell', () => {
    expect(findCapabilities('')).toMatchObject({ state: 'unknown' });
  });
});

describe('what doctor finds of the kernel', () => {
  const fine = { release: '6.1.0\n', forwarding: '1\n', bridgeFilter: '1\n', ipv6: '', namespaces: true };
  it.each([
    ['a usual one', {}, 'ok', /^Linux 6\.1\.0, IPv6, bridged packets pass iptables$/],
    ['without IPv6', { ipv6: undefined }, 'ok', /no IPv6/],
    ['without the bridge filter', { bridgeFilter: undefined }, 'ok', /do not pass iptables/],
    ['without forwarding', { forwarding: '0\n' }, 'warning', /forwarding is off/],
    ['without namespaces', { namespaces: false }, 'failed', /no network namespaces/],
  ])('%s', (_, more, state, detail) => {
    expect(findKernel({ ...fine, ...more })).toMatchObject({ state, detail: expect.stringMatching(detail) });
  });
});

describe('what doctor finds of the clock', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['2026-01-01T00:00:03.123456789Z', 'ok'],
    ['2026-01-01T01:00:03+01:00', 'ok'],
    ['2026-01-01T00:01:00Z', 'warning'],
    ['2025-12-31T23:59:00Z', 'warning'],
    ['', 'unknown'],
  ])('engine at %s: %s', (time, state) => {
    expect(findClock(time, now).state).toBe(state);
  });
});

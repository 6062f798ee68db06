import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/addresses/policy.ts';
import type { ListenerStatus } from '../../src/dns/server/listener.ts';
import { findCapabilities } from '../../src/doctor/capabilities.ts';
import { findClock } from '../../src/doctor/clock.ts';
import { findDirectRouting } from '../../src/doctor/direct-routing.ts';
import { firewallFinding } from '../../src/doctor/firewall.ts';
import { foreignFilterFinding } from '../../src/doctor/foreign-filters.ts';
import { findHostAddress } from '../../src/doctor/host-address.ts';
import { findImpostors } from '../../src/doctor/impostors.ts';
import { findKernel } from '../../src/doctor/kernel.ts';
import { findListeners } from '../../src/doctor/listeners.ts';
import { overlapFinding } from '../../src/doctor/overlap.ts';
import { routerAdvertisementFinding } from '../../src/doctor/router-advertisements.ts';
import { poolOf } from '../../src/ipam/pool.ts';
import { parseCidr } from '../../src/network/cidr.ts';

describe('what doctor finds of capabilities', () => {
  it.each([
    ['root', '000001ffffffffff', 'ok', /all/],
    ['those of the daemon’s container', '0000000000283c00', 'ok', /all/],
    ['Docker’s default', '00000000a80425fb', 'failed', /no NET_ADMIN.*no SYS_ADMIN.*no SYS_PTRACE/],
    ['none', '0000000000000000', 'failed', /no NET_BIND_SERVICE: answering on port 53/],
  ])('%s', (_, effective, state, detail) => {
    const finding = findCapabilities(`Name:\tnode\nCapInh:\t0\nCapEff:\t${effective}\nCapBnd:\t0\n`);
    expect(finding).toMatchObject({ state, detail: expect.stringMatching(detail) });
  });

  it('does not require NET_BIND_SERVICE of a process without clients', () => {
    expect(findCapabilities('CapEff:\t0000000000281800\n', { serves: false }).state).toBe('ok');
  });

  it('advises only what is missing', () => {
    const { advice } = findCapabilities('CapEff:\t0000000000281800\n');
    expect(advice).toBe('run as root, or with --cap-add NET_BIND_SERVICE');
  });

  it('is unknown without a line CapEff', () => {
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

describe('what doctor finds of the addresses that DNS is answered on', () => {
  const at = (ip: string, state: ListenerStatus['state'], why?: string): ListenerStatus => ({
    address: { ip, port: 53 },
    state,
    ...(why !== undefined && { why }),
  });
  const [listening, waiting] = [
    at('172.17.0.1', 'listening'),
    at('10.9.9.9', 'waiting', 'no interface has it'),
  ];
  it.each([
    ['all answered', [listening, at('fd00::1', 'listening')], 'ok', /172\.17\.0\.1:53, \[fd00::1\]:53/],
    ['one that is not there', [listening, waiting], 'warning', /^no interface has it$/],
    [
      'one that is taken',
      [waiting, at('10.2.0.1', 'failed', 'another program')],
      'failed',
      /^another program$/,
    ],
    ['none at all', [], 'ok', /--no-dns/],
  ] as const)('%s', (_, listeners, state, detail) => {
    expect(findListeners(listeners)).toMatchObject([{ state, detail: expect.stringMatching(detail) }]);
  });

  it('is nothing without a daemon', () => {
    expect(findListeners(undefined)).toEqual([]);
  });
});

describe("what doctor finds of the host's address", () => {
  it('is the one that published ports are announced at', () => {
    expect(findHostAddress({ ip: '192.168.0.10', origin: 'the default route' })).toMatchObject({
      state: 'ok',
      detail: 'published ports are announced at 192.168.0.10, by the default route',
    });
  });

  it('is unknown on a host without a default route, and the advice is --ip', () => {
    expect(findHostAddress(undefined)).toMatchObject({
      state: 'warning',
      detail: expect.stringMatching(/^the host's address is unknown: there is no default route/),
      advice: expect.stringContaining('--ip'),
    });
  });
});

describe('what doctor finds of the clock', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['2026-01-01T00:00:03.123456789Z', 'ok'],
    ['2026-01-01T01:00:03+01:00', 'ok'],
    ['2026-01-01T00:01:00Z', 'warning'],
    ['2025-12-31T23:59:00Z', 'warning'],
    ['Thu, 01 Jan 2026 00:00:04 GMT', 'ok'],
    ['', 'unknown'],
  ])('theirs at %s: %s', (time, state) => {
    expect(findClock('clock', "Consul's", time, now).state).toBe(state);
  });

  it('shows whose clock differs, and by how much', () => {
    expect(findClock('clock', "Consul's", '2026-01-01T01:00:00Z', now).detail).toBe(
      "3600 s away from Consul's",
    );
  });
});

describe('what doctor finds of direct routing', () => {
  const engine = (version: string, maker: 'docker' | 'podman' = 'docker') => ({ version, maker });
  const announcing = (policy: string, isShared = true) => ({ policy: parsePolicy(policy), isShared });
  it.each([
    ['28.5.2+dfsg4', 'ethwe,internal', 'internal'],
    ['28.0.0', 'network:front,published', 'network:front'],
    ['29.1.0', 'internal', 'internal'],
  ])('Docker %s with --address %s is a warning', (version, policy, named) => {
    expect(findDirectRouting(engine(version), announcing(policy))).toMatchObject([
      { state: 'warning', detail: expect.stringContaining(`--address ${named})`) },
    ]);
  });

  it('is fine where no such address is announced, or no other host reads them', () => {
    for (const facts of [announcing('ethwe,bridge,published'), announcing('internal', false)])
      expect(findDirectRouting(engine('28.5.2'), facts)).toMatchObject([{ state: 'ok' }]);
  });

  it.each([
    engine('20.10.24'),
    engine('27.5.1'),
    engine('5.8.0', 'podman'),
    engine('28.0', 'podman'),
    engine(''),
  ])('is nothing for %j', (other) => expect(findDirectRouting(other, announcing('internal'))).toEqual([]));
});

describe('what doctor finds of the firewall', () => {
  const filter = {
    command: 'iptables',
    forward: 'DROP',
    input: 'ACCEPT',
    missing: 3,
    guarded: true,
    unreadable: undefined,
  };
  it.each([
    ['all rules there', { missing: 0 }, true, 'ok', /policy of forwarded packets DROP/],
    ['no bridge that needs them', {}, false, 'ok', /DROP/],
    ['rules missing where packets are dropped', {}, true, 'failed', /3 rules .*do not reach each other$/],
    [
      'rules missing where queries are dropped',
      { forward: 'ACCEPT', input: 'DROP' },
      true,
      'failed',
      /the resolver$/,
    ],
    [
      'legacy tables that cannot be read, whatever the other tables hold',
      { missing: 0, forward: 'ACCEPT', unreadable: 'Permission denied (you must be root)' },
      true,
      'failed',
      /iptables-legacy has rules here too, and cannot be read \(Permission denied/,
    ],
    [
      'rules missing where nothing is dropped',
      { forward: 'ACCEPT' },
      true,
      'warning',
      /3 rules of heddle are missing$/,
    ],
  ])('%s', (_, more, needed, state, detail) => {
    expect(firewallFinding('firewall', { ...filter, ...more }, needed)).toMatchObject({
      state,
      detail: expect.stringMatching(detail),
    });
  });
});

describe('what doctor finds of other tables', () => {
  const chain = (more: object) => ({
    chain: {
      family: 'inet',
      table: 'strict',
      name: 'in',
      handle: 1,
      type: 'filter',
      hook: 'input',
      policy: 'drop',
      ...more,
    },
  });
  const found = (...chains: object[]) =>
    foreignFilterFinding(
      JSON.stringify({ nftables: [{ metainfo: { json_schema_version: 1 } }, ...chains] }),
      'weave',
    );
  it.each([
    ['none', [], 'ok'],
    [
      "iptables' own",
      [chain({ family: 'ip', table: 'filter' }), chain({ family: 'ip6', table: 'filter' })],
      'ok',
    ],
    ['one that accepts', [chain({ policy: 'accept' })], 'ok'],
    ['one that is no base chain', [{ chain: { family: 'inet', table: 'a', name: 'b' } }], 'ok'],
    ['one for packets that leave the host', [chain({ hook: 'output' })], 'ok'],
    ['one that drops', [chain({})], 'warning'],
  ])('%s', (_, chains, state) => {
    expect(found(...chains).state).toBe(state);
  });

  it('advises the rule that accepts queries', () => {
    expect(found(chain({})).advice).toBe(
      'nft insert rule inet strict in iifname weave meta l4proto { tcp, udp } th dport 53 accept',
    );
  });
});

describe('what doctor finds of router advertisements', () => {
  const route = (prefix: string, device: string) =>
    `${'0'.repeat(32)} ${prefix} ${'0'.repeat(32)} 00 fe80${'0'.repeat(27)}1 00000400 00000001 00000000 00450003 ${device}\n`;
  it.each([
    ['a bridge that accepts none', { accepted: '0\n', dropped: false }, 'ok', /accepts none/],
    ['one that would, and a rule', { accepted: '1\n', dropped: true }, 'ok', /drops them/],
    ['one that does', { accepted: '1\n', dropped: false }, 'failed', /no rule drops them/],
    ['one that does, without a filter', { accepted: '2\n', dropped: undefined }, 'failed', /no rule/],
    ['a default route by the bridge', { routes: route('00', 'weave') }, 'failed', /leads through weave/],
    ['other routes', { routes: route('00', 'eth0') + route('40', 'weave') }, 'ok', /accepts none/],
  ])('%s', (_, facts, state, detail) => {
    const all = { bridge: 'weave', accepted: '0\n', dropped: true, routes: '', ...facts };
    expect(routerAdvertisementFinding(all)).toMatchObject({ state, detail: expect.stringMatching(detail) });
  });
});

describe('what doctor finds of the networks of containers', () => {
  const route = (text: string, device: string) => ({ network: parseCidr(text), device });
  it.each([
    ['no overlap', '10.2.0.0/16', route('192.168.0.0/16', 'eth0'), 'ok', /^10\.32\.0\.0\/12 and/],
    [
      'a route around the range',
      '10.2.0.0/16',
      route('10.32.0.0/11', 'tun0'),
      'warning',
      /10\.32\.0\.0\/11 by tun0/,
    ],
    ['a route inside the range', '10.2.0.0/16', route('10.33.1.0/24', 'tun0'), 'warning', /refuse addresses/],
    [
      'a route around what is attached',
      '10.2.0.0/16',
      route('10.2.0.0/15', 'tun0'),
      'failed',
      /^the network .*10\.2/,
    ],
    [
      'a route around both',
      '10.2.0.0/16',
      route('10.0.0.0/8', 'eth0'),
      'failed',
      /; the range of free addresses/,
    ],
  ])('%s', (_, used, other, state, detail) => {
    const pool = poolOf(parseCidr('10.32.0.0/12'));
    const facts = { pool, used: [parseCidr(used)], host: [other] };
    expect(overlapFinding(facts)).toMatchObject({ state, detail: expect.stringMatching(detail) });
  });

  it('a route beside the default subnet, from which addresses are assigned', () => {
    const pool = poolOf(parseCidr('10.32.0.0/12'), parseCidr('10.40.0.0/16'));
    const facts = { pool, used: [], host: [route('10.33.1.0/24', 'tun0')] };
    const detail = expect.stringMatching(
      /10\.40\.0\.0\/16 does not: run and expose refuse networks of it that overlap/,
    );
    expect(overlapFinding(facts)).toMatchObject({ state: 'warning', detail });
  });
});

it('doctor names a container that answers for the address of another one, as a failure', () => {
  const running = [
    { id: 'c1', name: 'web' },
    { id: 'c2', name: 'db' },
  ];
  expect(findImpostors(running, () => [])).toMatchObject({ subject: 'neighbours', state: 'ok' });
  const found = findImpostors(running, (id) => (id === 'c2' ? ['answers for 10.2.1.1'] : []));
  expect(found).toMatchObject({ state: 'failed', detail: 'db: answers for 10.2.1.1' });
});

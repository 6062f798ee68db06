import { formatCidr, networkOf } from '../cidr.ts';
import type { Cidr } from '../engine.ts';
import { HOST_ENDS } from '../host-end.ts';

/** Marks a rule as ours, in every table. */
export const TAG = ['-m', 'comment', '--comment', 'heddle'];

export type Family = 'iptables' | 'ip6tables';

/** The tables that may hold our rules. */
export const TABLES = ['filter', 'nat', 'mangle'] as const;
export type Table = (typeof TABLES)[number];

/** One rule; it is inserted at the head of its chain. */
export interface Rule {
  /** Restricts the rule to one family. */
  readonly family?: Family;
  readonly table: Table;
  readonly chain: string;
  readonly match: readonly string[];
  readonly target: string;
}

export const familyOf = ({ family }: Cidr): Family => (family === 4 ? 'iptables' : 'ip6tables');

/**
 * The rules of a bridge: its ports reach each other, its and Docker's containers may query our resolver, and no
 * container configures the host.
 */
export function bridgeRules(bridge: string, localBridges: readonly string[]): Rule[] {
  const accept = (chain: string, ...match: string[]): Rule => ({
    table: 'filter',
    chain,
    match,
    target: 'ACCEPT',
  });
  const resolver = [...new Set([...localBridges, bridge])].flatMap((name) =>
    ['udp', 'tcp'].map((protocol) =>
      accept('INPUT', '-i', name, '-p', protocol, '-m', protocol, '--dport', '53'),
    ),
  );
  return [
    accept('FORWARD', '-i', bridge, '-o', bridge),
    ...resolver,
    ...[bridge, HOST_ENDS].flatMap(hostGuardRules),
  ];
}

/**
 * Drops packets from other bridges. The table mangle comes before the table filter, in which Docker inserts accepting
 * rules before ours.
 */
export const isolationRules = (bridge: string, others: readonly string[]): readonly Rule[] =>
  [...new Set(others)]
    .filter((name) => name !== bridge)
    .map((name) => ({
      table: 'mangle',
      chain: 'FORWARD',
      match: ['-i', name, '-o', bridge],
      target: 'DROP',
    }));

/** linux/icmp.h, linux/icmpv6.h */
const REDIRECT = '5';
const ROUTER_ADVERTISEMENT = '134';
const REDIRECT6 = '137';

/**
 * Drops packets with which a container could change the host's routes. Where /proc/sys is writable, the device ignores
 * them anyway (device-hardening.ts). In a container it is read-only, and only these rules protect the host.
 */
function hostGuardRules(device: string): Rule[] {
  const drop = (family: Family, ...match: string[]): Rule => ({
    family,
    table: 'filter',
    chain: 'INPUT',
    match: ['-i', device, ...match],
    target: 'DROP',
  });
  const drop6 = (type: string) => drop('ip6tables', '-p', 'ipv6-icmp', '-m', 'icmp6', '--icmpv6-type', type);
  return [
    drop('iptables', '-p', 'icmp', '-m', 'icmp', '--icmp-type', REDIRECT),
    drop6(ROUTER_ADVERTISEMENT),
    drop6(REDIRECT6),
  ];
}

/** The rules that apply to one family. */
export const rulesOf = (rules: readonly Rule[], family: Family): readonly Rule[] =>
  rules.filter((rule) => rule.family === undefined || rule.family === family);

/**
 * The rules match addresses. In weave before 1.0 they matched the bridge, and with it the packets of a tunnel, which
 * then went round in a loop. Multicast keeps its source address. Each rule is inserted before the previous one.
 */
export function masqueradeRules(network: Cidr): Rule[] {
  const net = formatCidr(networkOf(network));
  const multicast = network.family === 4 ? '224.0.0.0/4' : 'ff00::/8';
  const rule = (target: string, ...match: string[]): Rule => ({
    table: 'nat',
    chain: 'POSTROUTING',
    match,
    target,
  });
  return [
    rule('MASQUERADE', '!', '-s', net, '-d', net),
    rule('MASQUERADE', '-s', net, '!', '-d', net),
    rule('RETURN', '-s', net, '-d', multicast),
  ];
}

/** The iptables arguments that check for a rule or insert it. */
export const argumentsFor = (action: '-C' | '-I', { table, chain, match, target }: Rule): string[] => [
  ...['-t', table, action, chain],
  ...[...match, ...TAG, '-j', target],
];

/** The rule as iptables lists it; therefore our rules spell out every match that iptables would add. */
export const lineOf = ({ chain, match, target }: Rule): string =>
  ['-A', chain, ...match, ...TAG, '-j', target].join(' ');

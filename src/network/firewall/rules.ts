import { formatCidr, networkOf } from '../cidr.ts';
import type { Cidr } from '../engine.ts';
import { HOST_ENDS } from '../host-end.ts';

/** Marks a rule as ours, in every table. */
export const TAG = ['-m', 'comment', '--comment', 'heddle'];

export type Family = 'iptables' | 'ip6tables';

/** Where rules of ours may be. */
export const TABLES = ['filter', 'nat', 'mangle'] as const;
export type Table = (typeof TABLES)[number];

/** One rule, to be inserted before those of others. */
export interface Rule {
  /** Of one family alone; of both without. */
  readonly family?: Family;
  readonly table: Table;
  readonly chain: string;
  readonly match: readonly string[];
  readonly target: string;
}

export const familyOf = ({ family }: Cidr): Family => (family === 4 ? 'iptables' : 'ip6tables');

/** What a bridge needs: its ports talk to each other, its containers and Docker's ask for names, and none configures the host. */
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
 * Drops what comes from other bridges. In a table that packets pass before the filter, because Docker puts rules
 * that accept before ours there.
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
 * What comes from a container configures no route of this host. Where /proc/sys can be written the device takes
 * nothing of it anyway (unrouted.ts); in a container it cannot, and these rules do it alone.
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

/** Those of one family. */
export const rulesOf = (rules: readonly Rule[], family: Family): readonly Rule[] =>
  rules.filter((rule) => rule.family === undefined || rule.family === family);

/**
 * By addresses and not by the bridge, as weave did before 1.0: rules by the bridge catch a tunnel's own packets and
 * send them round in a loop. Multicast stays as it is. Each is inserted before the one above it.
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

/** Of the iptables command. */
export const argumentsFor = (action: '-C' | '-I', { table, chain, match, target }: Rule): string[] => [
  ...['-t', table, action, chain],
  ...[...match, ...TAG, '-j', target],
];

/** As iptables lists it, which is why rules are written with every word that it would add. */
export const lineOf = ({ chain, match, target }: Rule): string =>
  ['-A', chain, ...match, ...TAG, '-j', target].join(' ');

/** One comparison of servers: which names exist, and how they are queried. */
export interface Case {
  readonly name: string;
  readonly names: number;
  /** Addresses of each name; `mixed` is one to five. */
  readonly addresses: number | 'mixed';
  /** `mix`: of a hundred queries, 90 for A, 8 for SRV and 2 for missing names. `a`: all for A. */
  readonly queries: 'mix' | 'a';
  /** Queries in flight at the same time. */
  readonly outstanding: number;
  /** Changes of services in each second. */
  readonly changes?: number;
  /** Also measured with dnsperf. */
  readonly dnsperf?: boolean;
  readonly servers: readonly string[];
}

/** Our variants, each on top of the one before. */
export const STEPS = ['plain', 'cached', 'batched'] as const;
const OURS = STEPS.map((step) => `heddle ${step}`);
const FAST = ['heddle cached', 'heddle batched', 'unbound', 'Knot'];
const ALL_SERVERS = [...OURS, 'Consul', 'dnsmasq', 'unbound', 'Knot', 'echo'];

const MIX = {
  names: 1_000,
  addresses: 'mixed',
  queries: 'mix',
  outstanding: 64,
  servers: ALL_SERVERS,
} as const;

/**
 * The cases of a run; `full` adds Consul and the plain variant to the slow cases. dnsmasq searches its SRV records
 * linearly: with ten thousand names it is too slow for a comparison.
 */
export function cases(full: boolean): readonly Case[] {
  const many = full ? ALL_SERVERS.filter((server) => server !== 'dnsmasq') : FAST;
  return [
    { ...MIX, name: 'mix', dnsperf: true },
    { ...MIX, name: 'one at a time', outstanding: 1 },
    { ...MIX, name: 'A only', queries: 'a' },
    { ...MIX, name: 'mix while services change', changes: 100, servers: full ? OURS : OURS.slice(1) },
    { ...MIX, name: '10,000 names', names: 10_000, servers: many },
    { ...MIX, name: '100,000 names', names: 100_000, servers: many },
    ...[1, 10, 100].map(
      (addresses): Case => ({
        ...MIX,
        name: `A only, ${addresses} each`,
        addresses,
        queries: 'a',
        servers: full ? ALL_SERVERS : [...FAST, 'dnsmasq'],
      }),
    ),
  ];
}

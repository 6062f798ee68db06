/** One question to all servers: which names there are, and how they are asked for. */
export interface Case {
  readonly name: string;
  readonly names: number;
  /** Of each name; `mixed` is one to five. */
  readonly addresses: number | 'mixed';
  /** Of a hundred queries 90 for A, 8 for SRV and 2 for what does not exist; or all for A. */
  readonly queries: 'mix' | 'a';
  /** Queries that are out at the same time. */
  readonly outstanding: number;
  /** Changes of a service in each second. */
  readonly changes?: number;
  /** Also measured with dnsperf. */
  readonly dnsperf?: boolean;
  readonly servers: readonly string[];
}

/** Our steps, each on top of the one before. */
export const STEPS = ['plain', 'cached', 'batched'] as const;
const OURS = STEPS.map((step) => `heddle ${step}`);
const FAST = ['heddle cached', 'heddle batched', 'unbound', 'Knot'];
const EVERYBODY = [...OURS, 'Consul', 'dnsmasq', 'unbound', 'Knot', 'echo'];

const MIX = {
  names: 1_000,
  addresses: 'mixed',
  queries: 'mix',
  outstanding: 64,
  servers: EVERYBODY,
} as const;

/**
 * What a run measures; `full` adds Consul and the plain path where they take long. dnsmasq searches its SRV records
 * one after the other, which with ten thousand names leaves nothing to be compared.
 */
export function cases(full: boolean): readonly Case[] {
  const many = full ? EVERYBODY.filter((server) => server !== 'dnsmasq') : FAST;
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
        servers: full ? EVERYBODY : [...FAST, 'dnsmasq'],
      }),
    ),
  ];
}

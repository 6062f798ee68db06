import dnsPacket from 'dns-packet';
import { frame } from '../../src/dns/wire/frames.ts';

/** One service and the addresses of its instances. */
export interface Named {
  readonly name: string;
  readonly addresses: readonly string[];
}

export const PORT_OF_SERVICES = 8080;

/** `count` services, from svc0 on, with `addresses` instances each; by default one to five. */
export function services(count: number, addresses?: number): readonly Named[] {
  let address = 0;
  return Array.from({ length: count }, (_, index) => ({
    name: `svc${index}`,
    addresses: Array.from({ length: addresses ?? 1 + (index % 5) }, () => {
      address += 1;
      return `10.${(address >> 16) & 255}.${(address >> 8) & 255}.${address & 255}`;
    }),
  }));
}

/** The full name of a service; it is the same for all servers. */
export const nameOf = ({ name }: Named): string => `${name}.service.consul`;

/** The target of the peers' SRV records. */
export const targetOf = (address: string): string => `h${address.replaceAll('.', '-')}.addr.consul`;

/**
 * Queries in the load generator's format: of a hundred, 90 for A, 8 for SRV and 2 for missing names; or all for A. All
 * names are equally frequent, in an order without a pattern.
 */
export function queryFile(all: readonly Named[], kind: 'mix' | 'a'): Buffer {
  const flags = dnsPacket.RECURSION_DESIRED;
  return Buffer.concat(
    queries(all, kind).map((question) =>
      frame(dnsPacket.encode({ type: 'query', flags, questions: [question] })),
    ),
  );
}

/** The same in dnsperf's format. */
export function queryLines(all: readonly Named[], kind: 'mix' | 'a'): string {
  return queries(all, kind)
    .map(({ name, type }) => `${name} ${type}\n`)
    .join('');
}

function queries(all: readonly Named[], kind: 'mix' | 'a') {
  const length = Math.max(20_000, all.length);
  // Coprime to all our counts, so that every name comes once before any name comes again.
  const stride = 7919;
  return Array.from({ length }, (_, index) => {
    // Shifted in each pass through the names, so that each name is queried in every way.
    const share = (index * 37 + Math.floor(index / all.length) * 13) % 100;
    const named = all[(index * stride) % all.length] as Named;
    const unknown = kind === 'mix' && share < 2;
    const type = kind === 'mix' && share >= 2 && share < 10 ? 'SRV' : 'A';
    const name = unknown ? `nope${index}.service.consul` : nameOf(named);
    return { name, type } as const;
  });
}

import { readAtMostSync } from '../runtime/bounded-file.ts';
import { cachedFor } from '../runtime/cached-for.ts';
import { networkOf, parseCidr } from './cidr.ts';
import type { HostNetwork } from './engine.ts';

/** About 8,000 routes. Only a full Internet table is longer, and its rest holds no network of this host. */
const MAX_BYTES = 1 << 20;
/** VPNs replace the default route by two routes with prefix length 1. */
const LONGEST_DEFAULT = 1;

/**
 * IPv4 networks in the main routing table, without default routes. The read is synchronous on purpose: /proc/net shows
 * the namespace of the main thread. That thread enters container namespaces, but never between two of its own calls. A
 * pool thread could read a container's routes instead of the host's, and its four calls take longer.
 */
export const readRoutes = (path = '/proc/thread-self/net/route'): readonly HostNetwork[] =>
  parseRoutes(readAtMostSync(path, MAX_BYTES));

/** When hundreds of containers get addresses at once, each would read all networks again. */
const CACHED_MS = 50;

/** Reads the host's networks at most once per 50 ms. */
export const cachedHostNetworks = (
  read: () => Promise<readonly HostNetwork[]>,
): (() => Promise<readonly HostNetwork[]>) => cachedFor(CACHED_MS, read);

/**
 * Columns: interface (`*` for routes that reject packets), destination, five more, mask. Numbers are in the machine's
 * byte order.
 */
export function parseRoutes(table: string): readonly HostNetwork[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device = '', destination = '', , , , , , mask = ''] = line.split('\t');
      if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask)) return []; // truncated, or the last line
      const prefixLength = Math.clz32(~Buffer.from(mask, 'hex').readUInt32LE(0));
      if (prefixLength <= LONGEST_DEFAULT || device === '*') return [];
      const ip = Buffer.from(destination, 'hex').reverse().join('.');
      return [{ network: networkOf(parseCidr(`${ip}/${prefixLength}`)), device }];
    });
}

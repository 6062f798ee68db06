import { readAtMostSync } from '../runtime/bounded-file.ts';
import { keptFor } from '../runtime/kept-for.ts';
import { networkOf, parseCidr } from './cidr.ts';
import type { HostNetwork } from './engine.ts';

/** Some 8,000 routes; a host with a table of the whole Internet has no network of its own among the rest. */
const MAX_BYTES = 1 << 20;
/** Two routes of length 1 are a default route in the place of another, as VPNs make it. */
const LONGEST_DEFAULT = 1;

/**
 * IPv4 networks that the main routing table leads to, but for its default routes. Read in place, though it is a file:
 * /proc/net is that of the main thread, which stands in a container's network now and then, but never between two calls
 * of its own. A thread of the pool would read that network's routes for the host's, and four of its turns take longer.
 */
export const readRoutes = (path = '/proc/thread-self/net/route'): readonly HostNetwork[] =>
  parseRoutes(readAtMostSync(path, MAX_BYTES));

/** Of hundreds of containers that are given addresses at once, each would have everything read anew. */
const CACHED_MS = 50;

/** What reads the host's networks, a few times a second at most. */
export const cachedHostNetworks = (
  read: () => Promise<readonly HostNetwork[]>,
): (() => Promise<readonly HostNetwork[]>) => keptFor(CACHED_MS, read);

/**
 * Columns: interface (`*` where packets are refused: nothing is reached there), destination, five more, mask; numbers
 * as the machine stores them.
 */
export function parseRoutes(table: string): readonly HostNetwork[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device = '', destination = '', , , , , , mask = ''] = line.split('\t');
      if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask)) return []; // cut off, or the end
      const prefixLength = Math.clz32(~Buffer.from(mask, 'hex').readUInt32LE(0));
      if (prefixLength <= LONGEST_DEFAULT || device === '*') return [];
      const ip = Buffer.from(destination, 'hex').reverse().join('.');
      return [{ network: networkOf(parseCidr(`${ip}/${prefixLength}`)), device }];
    });
}

import { readAtMost } from './bounded-file.ts';
import { networkOf, parseCidr } from './cidr.ts';
import type { HostNetwork } from './engine.ts';

/** Some 8,000 routes; a host with a table of the whole Internet has no network of its own among the rest. */
const MOST_BYTES = 1 << 20;
/** Two routes of length 1 are a default route in the place of another, as VPNs make it. */
const LONGEST_DEFAULT = 1;

/**
 * Of the thread that reads: /proc/net is that of the main thread, which may stand in a container's network just then,
 * and would give its routes for the host's.
 */
const ROUTES = '/proc/thread-self/net/route';

/** IPv4 networks that the main routing table leads to, but for its default routes. */
export const readRoutes = async (path = ROUTES): Promise<readonly HostNetwork[]> =>
  parseRoutes(await readAtMost(path, MOST_BYTES));

/** Columns: interface (`*` where packets are refused: nothing is reached there), destination, five more, mask; numbers as the machine stores them. */
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

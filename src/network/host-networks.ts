import { open } from 'node:fs/promises';
import { networkOf, parseCidr } from './cidr.ts';
import type { HostNetwork } from './engine.ts';

/** Some 8,000 routes; a host with a table of the whole Internet has no network of its own among the rest. */
const MOST_BYTES = 1 << 20;
/** Two routes of length 1 are a default route in the place of another, as VPNs make it. */
const LONGEST_DEFAULT = 1;

/** IPv4 networks that the main routing table leads to, but for its default routes. */
export async function readRoutes(path = '/proc/net/route'): Promise<readonly HostNetwork[]> {
  await using file = await open(path, 'r');
  const buffer = Buffer.alloc(MOST_BYTES);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, MOST_BYTES - length);
    length += bytesRead;
    if (bytesRead === 0 || length === MOST_BYTES) return parseRoutes(buffer.toString('latin1', 0, length));
  }
}

/** Columns: interface (`*` where packets are refused), destination, five more, mask; numbers as the machine stores them. */
export function parseRoutes(table: string): readonly HostNetwork[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device = '', destination = '', , , , , , mask = ''] = line.split('\t');
      if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask)) return []; // cut off, or the end
      const prefixLength = Math.clz32(~Buffer.from(mask, 'hex').readUInt32LE(0));
      if (prefixLength <= LONGEST_DEFAULT) return [];
      const ip = Buffer.from(destination, 'hex').reverse().join('.');
      return [{ network: networkOf(parseCidr(`${ip}/${prefixLength}`)), device }];
    });
}

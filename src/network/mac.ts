import { createHash, randomBytes } from 'node:crypto';
import { ipBytes } from './cidr.ts';
import type { Cidr } from './engine.ts';

/** Locally administered MACs. Each origin has its own prefix, so that different kinds never collide. */
const FROM_IPV4 = [0x0a, 0x58];
const FROM_IPV6 = [0x0a, 0x59];
const RANDOM = [0x0a, 0x5a];

/**
 * The MAC of a container interface derives from its first IPv4 address, or else its first IPv6 address. So when an
 * address moves to another container, the neighbours' ARP caches stay correct.
 * @param cidrs at least one
 */
export function macFor(cidrs: readonly Cidr[]): Buffer {
  const cidr = cidrs.find(({ family }) => family === 4) ?? cidrs[0];
  if (!cidr) throw new RangeError('cannot derive a MAC without an address');
  const bytes = ipBytes(cidr.ip);
  return cidr.family === 4
    ? Buffer.from([...FROM_IPV4, ...bytes])
    : Buffer.from([...FROM_IPV6, ...createHash('sha256').update(bytes).digest().subarray(0, 4)]);
}

/** For the bridge: differs from every port's MAC and from other hosts' bridges. */
export const randomMac = (): Buffer => Buffer.from([...RANDOM, ...randomBytes(4)]);

/** `0a:58:0a:02:01:01` */
export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');

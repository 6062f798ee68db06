import { contains, ipBytes } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** What is owned and handed out is blocks of this size: one host's share of a range. */
const BLOCK_PREFIX = 24;

/**
 * The blocks of a subnet that this host owns, lowest first. One host owns the whole range; where there are several,
 * each owns blocks of it, and allocates inside its own without asking anybody.
 * @param range IPv4
 * @param subnet inside the range
 */
export function* ownedBlocks(range: Cidr, subnet: Cidr): Generator<Cidr> {
  const within = contains(subnet, range.ip) && subnet.prefixLength < range.prefixLength ? range : subnet;
  const prefixLength = Math.max(within.prefixLength, BLOCK_PREFIX);
  const first = numberOf(within.ip);
  const size = 2 ** (32 - prefixLength);
  for (let offset = 0; offset < 2 ** (32 - within.prefixLength); offset += size) {
    yield { ip: textOf(first + offset), prefixLength, family: 4 };
  }
}

/**
 * The addresses of a block that an interface can carry: without the subnet's own name and broadcast address. A search
 * goes through as many as are taken, so each costs little.
 * @param subnet that the block is of
 */
export function* addressesIn({ ip, prefixLength }: Cidr, subnet: Cidr): Generator<string> {
  const first = numberOf(ip);
  const size = 2 ** (32 - subnet.prefixLength);
  const name = numberOf(subnet.ip);
  const broadcast = name + size - 1;
  for (let number = first; number < first + 2 ** (32 - prefixLength); number++) {
    if (size > 2 && (number === name || number === broadcast)) continue;
    yield textOf(number);
  }
}

const numberOf = (ip: string): number => Buffer.from(ipBytes(ip)).readUInt32BE(0);

const textOf = (address: number): string =>
  `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;

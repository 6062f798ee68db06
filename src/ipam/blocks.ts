import { contains, ipBytes } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** Ranges are divided into blocks of this size, each owned by one host. */
const BLOCK_PREFIX = 24;

/**
 * The blocks of a subnet that this host owns, lowest first. A single host owns the whole range. Of several hosts each
 * owns some blocks, and allocates inside them without asking the others.
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
 * The addresses of a block that an interface can have: without the subnet's network address and broadcast address. A
 * search passes all addresses that are taken, so each step must be cheap.
 * @param subnet contains the block
 */
export function* addressesIn({ ip, prefixLength }: Cidr, subnet: Cidr): Generator<string> {
  const first = numberOf(ip);
  const size = 2 ** (32 - subnet.prefixLength);
  const network = numberOf(subnet.ip);
  const broadcast = network + size - 1;
  for (let number = first; number < first + 2 ** (32 - prefixLength); number++) {
    if (size > 2 && (number === network || number === broadcast)) continue;
    yield textOf(number);
  }
}

const numberOf = (ip: string): number => Buffer.from(ipBytes(ip)).readUInt32BE(0);

const textOf = (address: number): string =>
  `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;

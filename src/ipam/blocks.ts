import { contains, ipBytes, ipText } from '../network/cidr.ts';
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

/** All addresses of a block, its first and last included. */
export function* addressesIn({ ip, prefixLength }: Cidr): Generator<string> {
  const first = numberOf(ip);
  for (let offset = 0; offset < 2 ** (32 - prefixLength); offset++) yield textOf(first + offset);
}

const numberOf = (ip: string): number => Buffer.from(ipBytes(ip)).readUInt32BE(0);

function textOf(address: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return ipText(bytes);
}

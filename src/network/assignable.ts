import { HeddleError } from '../errors.ts';
import {
  covers,
  EXPECTED_CIDR,
  formatCidr,
  ipBytes,
  maskByte,
  networkOf,
  overlap,
  parseCidr,
} from './cidr.ts';
import type { Cidr } from './engine.ts';

/**
 * IANA's special-purpose registries (RFC 6890): no private network may use these. They are literals because parsing
 * them takes a tenth of a command's run time.
 */
const RESERVED = (
  [
    ['0.0.0.0', 8, 4, 'addresses without a network'],
    ['127.0.0.0', 8, 4, 'loopback addresses'],
    ['169.254.0.0', 16, 4, 'link-local addresses'],
    ['224.0.0.0', 4, 4, 'multicast addresses'],
    ['240.0.0.0', 4, 4, 'reserved addresses'],
    ['::', 128, 6, 'the unspecified address'],
    ['::1', 128, 6, 'the loopback address'],
    ['fe80::', 10, 6, 'link-local addresses'],
    ['ff00::', 8, 6, 'multicast addresses'],
  ] as const
).map(([ip, prefixLength, family, what]) => ({ network: { ip, prefixLength, family }, what }));

/**
 * The widest network allowed on the bridge, by family. 10.0.0.0/8 is the largest private network (RFC 1918). A wider
 * one would capture a container's or the host's route to much of the Internet.
 */
const WIDEST = { 4: 8, 6: 16 } as const;

/** Why this network cannot be used, as a predicate for an error message; undefined if it can. */
export function whyUnusable(cidr: Cidr): string | undefined {
  const widest = WIDEST[cidr.family];
  if (cidr.prefixLength < widest) return `has a prefix shorter than /${widest}`;
  const network = networkOf(cidr);
  const reserved = RESERVED.find((other) => overlap(network, other.network));
  if (reserved === undefined) return undefined;
  const how = covers(reserved.network, network) ? 'is in' : 'is in a network with';
  return `${how} ${formatCidr(reserved.network)}, ${reserved.what}`;
}

/**
 * Rejects an empty list and addresses that no interface can carry: a network or broadcast address, a reserved address,
 * an address in an unusable network.
 * @throws HeddleError `bad-input`
 */
export function assertAssignable(cidrs: readonly Cidr[]): void {
  if (cidrs.length === 0) throw new HeddleError('bad-input', `no address was given: ${EXPECTED_CIDR}`);
  for (const cidr of cidrs) {
    const problem = whyUnassignable(cidr);
    if (!problem) continue;
    throw new HeddleError('bad-input', `${formatCidr(cidr)} ${problem}, which a container cannot have`);
  }
}

function whyUnassignable(cidr: Cidr): string | undefined {
  const problem = whyUnusable(cidr);
  if (problem !== undefined || cidr.family === 6 || cidr.prefixLength >= 31) return problem; // RFC 3021: no broadcast
  const hostBits = ipBytes(cidr.ip).map((byte, index) => byte & ~maskByte(cidr.prefixLength, index) & 0xff);
  if (hostBits.every((byte) => byte === 0)) return 'is a network address';
  const isBroadcast = hostBits.every((byte, index) => byte === (~maskByte(cidr.prefixLength, index) & 0xff));
  return isBroadcast ? 'is the broadcast address of its network' : undefined;
}

/**
 * Parses an address that a container can have.
 * @throws HeddleError `bad-input`
 */
export function parseAssignable(text: string): Cidr {
  const cidr = parseCidr(text);
  assertAssignable([cidr]);
  return cidr;
}

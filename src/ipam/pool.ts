import { HeddleError } from '../errors.ts';
import { contains, formatCidr, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** Where free addresses come from. */
export interface Pool {
  /** `10.32.0.0/12`, shared by all hosts of a network. */
  readonly range: Cidr;
  /** What `net:default` means; inside the range. */
  readonly defaultSubnet: Cidr;
}

/**
 * Reads an IPv4 network, named by its own address.
 * @throws HeddleError `bad-input`
 */
export function parseNetwork(text: string): Cidr {
  const cidr = parseCidr(text);
  const network = networkOf(cidr);
  if (cidr.family === 4 && network.ip === cidr.ip) return network;
  const expected = cidr.family === 4 ? `expected ${formatCidr(network)}` : 'expected an IPv4 network';
  throw new HeddleError('bad-input', `${formatCidr(cidr)} does not name a network: ${expected}`);
}

/** @throws HeddleError `bad-input` for a default subnet outside the range */
export function poolOf(range: Cidr, defaultSubnet: Cidr = range): Pool {
  if (covers(range, defaultSubnet)) return { range, defaultSubnet };
  throw new HeddleError(
    'bad-input',
    `the default subnet ${formatCidr(defaultSubnet)} lies outside the range ${formatCidr(range)}: ` +
      'give both ipalloc-range and ipalloc-default-subnet',
  );
}

/** Whether a network lies inside another, whole. */
export const covers = (outer: Cidr, inner: Cidr): boolean =>
  contains(outer, inner.ip) && inner.prefixLength >= outer.prefixLength;

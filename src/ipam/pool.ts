import { HeddleError } from '../errors.ts';
import { whyUnusable } from '../network/assignable.ts';
import { covers, formatCidr, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** Free addresses are allocated from it. */
export interface Pool {
  /** `10.32.0.0/12`, shared by all hosts of a network. */
  readonly range: Cidr;
  /** The subnet that `net:default` requests; inside the range. */
  readonly defaultSubnet: Cidr;
}

/**
 * Reads an IPv4 network that addresses can be allocated from, named by its own address.
 * @throws HeddleError `bad-input`
 */
export function parseNetwork(text: string): Cidr {
  const cidr = parseCidr(text);
  const network = networkOf(cidr);
  const problem = whyUnusable(network);
  if (problem !== undefined) {
    throw new HeddleError(
      'bad-input',
      `${formatCidr(cidr)} ${problem}: no interface can have an address of it`,
    );
  }
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

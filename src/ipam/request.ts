import { HeddleError } from '../errors.ts';
import { parseAssignable } from '../network/assignable.ts';
import { formatCidr, looksLikeAddress, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** What a person, a label or the proxy asks for: one certain address, or any free one of a subnet. */
export type AddressRequest =
  | { readonly kind: 'exact'; readonly cidr: Cidr }
  /** Without a subnet: of the default one. */
  | { readonly kind: 'any'; readonly subnet: Cidr | undefined };

/** What is meant where no address is given: `net:default`. */
export const ANY_ADDRESS: AddressRequest = { kind: 'any', subnet: undefined };

/**
 * Reads one of weave's words for an address: `10.2.1.1/16`, `ip:10.2.1.1/16`, `net:10.2.3.0/24`, `net:default`.
 * @throws HeddleError `bad-input`
 */
export function parseRequest(word: string): AddressRequest {
  if (word === 'net:default') return ANY_ADDRESS;
  if (word.startsWith('net:')) return { kind: 'any', subnet: subnetOf(word) };
  return { kind: 'exact', cidr: parseAssignable(word.replace(/^ip:/, '')) };
}

/** `10.2.1.1/16`, `net:10.2.3.0/24` or `net:default`. */
export function formatRequest(request: AddressRequest): string {
  if (request.kind === 'exact') return formatCidr(request.cidr);
  return request.subnet ? `net:${formatCidr(request.subnet)}` : 'net:default';
}

/** True for a word that is meant as an address, right or wrong; an image like `net:5000/web` is none. */
export const looksLikeRequest = (word: string): boolean =>
  word === 'net:default' || looksLikeAddress(word.replace(/^(ip|net):/, ''));

function subnetOf(word: string): Cidr {
  const subnet = parseCidr(word.slice('net:'.length));
  const network = networkOf(subnet);
  if (network.ip === subnet.ip) return network;
  throw new HeddleError(
    'bad-input',
    `"${word}" does not name a subnet: expected the network's own address, net:${formatCidr(network)}`,
  );
}

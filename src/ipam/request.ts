import { HeddleError } from '../errors.ts';
import { parseAssignable } from '../network/assignable.ts';
import { formatCidr, isAddressLike, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** What a user, a label or the proxy requests: one certain address, or any free one of a subnet. */
export type AddressRequest =
  | { readonly kind: 'exact'; readonly cidr: Cidr }
  /** Undefined stands for the default subnet. */
  | { readonly kind: 'any'; readonly subnet: Cidr | undefined };

/** The request where none is given: `net:default`. */
export const ANY_ADDRESS: AddressRequest = { kind: 'any', subnet: undefined };

/**
 * Parses a request in weave's syntax: `10.2.1.1/16`, `ip:10.2.1.1/16`, `net:10.2.3.0/24`, `net:default`.
 * @throws HeddleError `bad-input`
 */
export function parseRequest(text: string): AddressRequest {
  if (text === 'net:default') return ANY_ADDRESS;
  if (text.startsWith('net:')) return { kind: 'any', subnet: subnetOf(text) };
  return { kind: 'exact', cidr: parseAssignable(text.replace(/^ip:/, '')) };
}

/** `10.2.1.1/16`, `net:10.2.3.0/24` or `net:default`. */
export function formatRequest(request: AddressRequest): string {
  if (request.kind === 'exact') return formatCidr(request.cidr);
  return request.subnet ? `net:${formatCidr(request.subnet)}` : 'net:default';
}

/** Whether a text is meant as an address request, valid or not; an image like `net:5000/web` is not. */
export const looksLikeRequest = (text: string): boolean =>
  text === 'net:default' || isAddressLike(text.replace(/^(ip|net):/, ''));

function subnetOf(text: string): Cidr {
  const subnet = parseCidr(text.slice('net:'.length));
  const network = networkOf(subnet);
  if (network.ip === subnet.ip) return network;
  throw new HeddleError(
    'bad-input',
    `"${text}" does not name a subnet: expected the network's own address, net:${formatCidr(network)}`,
  );
}

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** True for `0.0.0.0`, `::` and every other spelling of them: they stand for all addresses, so none is usable. */
export function isUnspecified(ip: string): boolean {
  return rangeOf(ip) === 'unspecified';
}

/** Whether other hosts can reach a host at this address. */
export function isReachable(ip: string): boolean {
  const range = rangeOf(ip);
  return range !== undefined && !['unspecified', 'loopback', 'linkLocal'].includes(range);
}

/** The kind of address in IANA's registries; undefined if the text is no IP address. */
function rangeOf(ip: string): string | undefined {
  if (isIP(ip) === 0) return undefined;
  // An IPv4-mapped IPv6 address counts as the IPv4 address; a zone (%eth0) is not part of the address.
  return ipaddr.process(ip.replace(/%.*$/, '')).range();
}

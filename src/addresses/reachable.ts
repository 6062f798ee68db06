import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** True for `0.0.0.0`, `::` and every other way to write them: all addresses, so no address at all. */
export function isUnspecified(ip: string): boolean {
  return rangeOf(ip) === 'unspecified';
}

/** Whether another host can use this address for the host that has it. */
export function isReachable(ip: string): boolean {
  const range = rangeOf(ip);
  return range !== undefined && !['unspecified', 'loopback', 'linkLocal'].includes(range);
}

/** The kind of address by IANA's registries; undefined for what is no IP address. */
function rangeOf(ip: string): string | undefined {
  if (isIP(ip) === 0) return undefined;
  // IPv4 written inside IPv6 is that IPv4 address; a zone (%eth0) is no part of the address.
  return ipaddr.process(ip.replace(/%.*$/, '')).range();
}

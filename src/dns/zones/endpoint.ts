import ipaddr from 'ipaddr.js';
import { isName } from '../wire/name.ts';

/** A registered address as DNS expresses it: an address of one family, or a host name. */
export type Endpoint = IpEndpoint | { readonly host: string };
export interface IpEndpoint {
  readonly family: 4 | 6;
  readonly ip: string;
}

/**
 * Reads an address in the forms that registries hold: `10.2.1.1`, `10.2.1.1/16` (the prefix length does not matter for
 * a client), `fd00::1`, `::ffff:10.2.1.1` (IPv4), `backend.example.com`. Undefined for any other text.
 */
export function parseEndpoint(address: string): Endpoint | undefined {
  const text = address.trim().replace(/\/\d+$/, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 4, ip: text };
  if (ipaddr.IPv6.isValid(text)) {
    const ip = ipaddr.process(text);
    return ip.kind() === 'ipv4' ? { family: 4, ip: ip.toString() } : { family: 6, ip: ip.toString() };
  }
  const host = text.replace(/\.$/, '');
  return isName(host) ? { host } : undefined;
}

/** The hexadecimal digits of an address in an `addr` name: `0a020101`, or 32 digits for IPv6. */
export function hexOf(ip: string): string {
  // Fast path for IPv4: most addresses are IPv4, and an answer may hold thousands.
  if (!ip.includes(':')) return Buffer.from(ip.split('.').map(Number)).toString('hex');
  return Buffer.from(ipaddr.parse(ip).toByteArray()).toString('hex');
}

/**
 * The address in the digits of an `addr` name: `unknown` if their count fits no family, undefined if they are not
 * hexadecimal.
 */
export function ofHex(digits: string): IpEndpoint | 'unknown' | undefined {
  // Consul halves the count before comparing: nine digits are a bad IPv4 address, seven are no address.
  const bytes = digits.length >> 1;
  if (bytes !== 4 && bytes !== 16) return 'unknown';
  if (digits.length % 2 !== 0 || !/^[0-9a-f]+$/.test(digits)) return undefined;
  const ip = ipaddr.fromByteArray([...Buffer.from(digits, 'hex')]);
  return { family: bytes === 4 ? 4 : 6, ip: ip.toString() };
}

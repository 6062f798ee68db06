import ipaddr from 'ipaddr.js';
import { isName } from '../wire/name.ts';

/** What a registered address means to DNS: an address of one family, or the name of a host. */
export type Endpoint = IpEndpoint | { readonly host: string };
export interface IpEndpoint {
  readonly family: 4 | 6;
  readonly ip: string;
}

/**
 * Reads an address as registries hold them: `10.2.1.1`, `10.2.1.1/16` (the prefix length says nothing about where
 * to connect), `fd00::1`, `::ffff:10.2.1.1` (IPv4), `backend.example.com`. Undefined for what is none of them.
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

/** The address as the hexadecimal digits of an `addr` name: `0a020101`, or 32 digits for IPv6. */
export function hexOf(ip: string): string {
  // Most are of IPv4, and an answer may hold thousands.
  if (!ip.includes(':')) return Buffer.from(ip.split('.').map(Number)).toString('hex');
  return Buffer.from(ipaddr.parse(ip).toByteArray()).toString('hex');
}

/**
 * The address that the digits of an `addr` name spell: `unknown` where their count fits no family, undefined where
 * they are not hexadecimal.
 */
export function ofHex(digits: string): IpEndpoint | 'unknown' | undefined {
  // Consul halves the count before it looks: nine digits are a bad IPv4 address, seven are none at all.
  const bytes = digits.length >> 1;
  if (bytes !== 4 && bytes !== 16) return 'unknown';
  if (digits.length % 2 !== 0 || !/^[0-9a-f]+$/.test(digits)) return undefined;
  const ip = ipaddr.fromByteArray([...Buffer.from(digits, 'hex')]);
  return { family: bytes === 4 ? 4 : 6, ip: ip.toString() };
}

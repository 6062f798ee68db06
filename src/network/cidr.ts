import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { HeddleError } from '../errors.ts';
import type { Cidr } from './engine.ts';

/** For messages. */
export const EXPECTED_CIDR = 'expected an address with its prefix length, like 10.2.1.1/16 or fd00::1/64';

/**
 * Parses `10.2.1.1/16` or `fd00::1/64` and returns the address in canonical form.
 * @throws HeddleError `bad-input` with the text, the mistake and the expected form
 */
export function parseCidr(text: string): Cidr {
  const fail = (what: string): never => {
    throw new HeddleError('bad-input', `${quoted(text)} ${what}: ${EXPECTED_CIDR}`);
  };
  const slash = text.indexOf('/');
  if (slash < 0) return fail('has no prefix length');
  const ip = text.slice(0, slash);
  const prefix = text.slice(slash + 1);
  const family = familyOf(ip);
  if (family === undefined) return fail('does not start with an IP address');
  const longest = family === 4 ? 32 : 128;
  // Digits alone, and no leading zero: `1.0`, `+8`, `0x8` and `08` mean different things to different tools.
  if (!/^(0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > longest) {
    return fail(`has no prefix length from 0 to ${longest} after the slash`);
  }
  return { ip: canonicalIp(ip), prefixLength: Number(prefix), family };
}

/** `10.2.1.1/16`. */
export const formatCidr = (cidr: Pick<Cidr, 'ip' | 'prefixLength'>): string =>
  `${cidr.ip}/${cidr.prefixLength}`;

/** The addresses that are not in `others`. */
export function without<T extends Cidr>(cidrs: readonly T[], others: readonly Cidr[]): T[] {
  const excluded = new Set(others.map(formatCidr));
  return cidrs.filter((cidr) => !excluded.has(formatCidr(cidr)));
}

/** The addresses that are also in `others`. */
export const among = <T extends Cidr>(cidrs: readonly T[], others: readonly Cidr[]): readonly T[] =>
  without(cidrs, without(cidrs, others));

/** Strips the additional properties of a subtype. */
export const toCidr = ({ ip, prefixLength, family }: Cidr): Cidr => ({ ip, prefixLength, family });

/** The addresses without duplicates. */
export const distinct = (cidrs: readonly Cidr[]): readonly Cidr[] => [
  ...new Map(cidrs.map((cidr) => [formatCidr(cidr), cidr])).values(),
];

/** The network of an address with a prefix length: `10.2.0.0/16` of `10.2.1.1/16`. */
export function networkOf({ ip, prefixLength, family }: Cidr): Cidr {
  const bytes = ipBytes(ip).map((byte, index) => byte & maskByte(prefixLength, index));
  return { ip: ipText(bytes), prefixLength, family };
}

/** Whether an address without prefix is in a network; always false across families. */
export function contains({ ip: start, prefixLength, family }: Cidr, ip: string): boolean {
  if (familyOf(ip) !== family) return false;
  const bytes = ipBytes(ip);
  return ipBytes(start).every(
    (byte, index) => ((byte ^ (bytes[index] as number)) & maskByte(prefixLength, index)) === 0,
  );
}

/** Whether `inner` is entirely inside `outer`. */
export const covers = (outer: Cidr, inner: Cidr): boolean =>
  contains(outer, inner.ip) && inner.prefixLength >= outer.prefixLength;

/** Whether two networks have an address in common. */
export const overlap = (one: Cidr, other: Cidr): boolean =>
  one.family === other.family &&
  (one.prefixLength <= other.prefixLength ? contains(one, other.ip) : contains(other, one.ip));

/**
 * True for an argument that is meant as an address, even an invalid one: `10.2.1.1/16`, `10.2.1.1`, `10.2.0.300/16`.
 * False for an image whose registry is an IP address: `10.0.0.5:5000/web`.
 */
export const isAddressLike = (text: string): boolean =>
  /^[0-9]+(\.[0-9]+)+(\/[0-9]*)?$/.test(text) || /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*(\/[0-9]*)?$/i.test(text);

/** 4 or 6, for strict forms only (no octal, no short forms, no zone); otherwise undefined. */
export function familyOf(ip: string): 4 | 6 | undefined {
  if (isIPv4(ip)) return 4;
  // An IPv4-mapped IPv6 address would be a second spelling of one address.
  if (isIPv6(ip) && !ip.includes('%') && !ipaddr.IPv6.parse(ip).isIPv4MappedAddress()) return 6;
  return undefined;
}

/** Four or sixteen bytes in network order. */
export const ipBytes = (ip: string): Uint8Array =>
  isIPv4(ip) ? Uint8Array.from(ip.split('.'), Number) : Uint8Array.from(ipaddr.parse(ip).toByteArray());

/** The canonical text (RFC 5952 for IPv6) of four or sixteen bytes. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const ip = ipaddr.fromByteArray([...bytes]);
  return ip instanceof ipaddr.IPv6 ? ip.toRFC5952String() : ip.toString();
}

const canonicalIp = (ip: string): string => ipText(ipBytes(ip));

/** The network mask's byte at this index. */
export const maskByte = (prefixLength: number, index: number): number =>
  (0xff00 >> Math.min(8, Math.max(0, prefixLength - index * 8))) & 0xff;

/** Untrusted text for one line of a message: quoted, control characters escaped, cut at 60. */
const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);

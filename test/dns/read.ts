import type { Answer, DecodedPacket } from 'dns-packet';

/** Replies decoded by dns-packet, as text that tests compare. */

/** The response code; dns-packet's types do not have it. */
export function rcodeOf(decoded: DecodedPacket): string {
  return (decoded as unknown as { rcode: string }).rcode;
}

/** The header bits that are set, in the order of the header. */
export function flagsOf(decoded: DecodedPacket): string[] {
  const bits = { qr: decoded.flag_qr, aa: decoded.flag_aa, tc: decoded.flag_tc, rd: decoded.flag_rd };
  const all = { ...bits, ra: decoded.flag_ra, ad: decoded.flag_ad, cd: decoded.flag_cd };
  return Object.entries(all).flatMap(([name, set]) => (set ? [name] : []));
}

/** A record as one line of text, names without the final dot. */
export function textOf(record: Answer): string {
  const { name, ttl, type, data } = record as { name: string; ttl: number; type: string; data: unknown };
  return `${name} ${ttl} ${type} ${dataText(data)}`;
}

/** Record data as text, whatever the order of its fields. */
export function dataText(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data);
  const entries = Object.entries(data).sort(([a], [b]) => a.localeCompare(b));
  return entries.map(([key, value]) => `${key}=${value}`).join(' ');
}

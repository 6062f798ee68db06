import { HEADER_BYTES, TYPE_AND_CLASS_BYTES } from '../wire/message.ts';

/**
 * Identifies queries with the same answer: all bytes behind the id, with the letters of the name in either case
 * (RFC 4343), and the circumstances. Neither hashing nor comparing allocates a string or an object.
 */
export interface CacheKey {
  readonly hash: number;
  /** The bytes behind the id, the name in lower case. */
  readonly bytes: Uint8Array;
  readonly circumstances: Circumstances;
}

/** The properties of transport and client on which the answer depends, as a number of two bits. */
export type Circumstances = number;

export function circumstancesOf(transport: 'udp' | 'tcp', recursion: boolean): Circumstances {
  return (transport === 'tcp' ? 1 : 0) | (recursion ? 2 : 0);
}

const ID_BYTES = 2;
/** Bytes behind the question: none, or an OPT record without options. A query with more is specific to its client. */
const [PLAIN, WITH_OPT] = [0, 11];
/** FNV-1a, 32 bits. */
const PRIME = 16_777_619;
/** Random for each process, so that no attacker can prepare questions that evict each other. */
const SEED = Math.floor(Math.random() * 2 ** 32);
/** Each byte of a name in lower case; a label's length byte is below every letter. */
const LOWER = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte,
);

/** The end of the name of a query's only question; undefined for other packets, and for queries that are not cached. */
export function nameEnd(packet: Uint8Array): number | undefined {
  let at = HEADER_BYTES;
  for (let length = packet[at]; length !== undefined && length !== 0; length = packet[at]) at += 1 + length;
  const rest = packet.length - (at + 1 + TYPE_AND_CLASS_BYTES);
  return rest === PLAIN || rest === WITH_OPT ? at + 1 : undefined;
}

/** A hash that is the same for all queries of one key. @param end the end of the name */
export function hashOf(packet: Uint8Array, end: number, circumstances: Circumstances): number {
  // Of the header, only the flags: the counts do not distinguish queries.
  let hash = Math.imul(SEED ^ circumstances ^ ((packet[2] as number) << 8) ^ (packet[3] as number), PRIME);
  for (let at = HEADER_BYTES; at < end; at += 1) {
    hash = Math.imul(hash ^ (LOWER[packet[at] as number] as number), PRIME);
  }
  for (let at = end; at < packet.length; at += 1) hash = Math.imul(hash ^ (packet[at] as number), PRIME);
  return hash;
}

/** Whether a query has this key. */
export function matchesKey(
  packet: Uint8Array,
  end: number,
  circumstances: Circumstances,
  key: CacheKey,
): boolean {
  const { bytes } = key;
  if (packet.length - ID_BYTES !== bytes.length || circumstances !== key.circumstances) return false;
  for (let at = HEADER_BYTES; at < end; at += 1) {
    if (LOWER[packet[at] as number] !== bytes[at - ID_BYTES]) return false;
  }
  for (let at = end; at < packet.length; at += 1) if (packet[at] !== bytes[at - ID_BYTES]) return false;
  for (let at = ID_BYTES; at < HEADER_BYTES; at += 1) if (packet[at] !== bytes[at - ID_BYTES]) return false;
  return true;
}

/** The key of a query, with a copy of its bytes; undefined for a query that is not cached. */
export function cacheKeyOf(packet: Uint8Array, circumstances: Circumstances): CacheKey | undefined {
  const end = nameEnd(packet);
  if (end === undefined) return undefined;
  const bytes = Uint8Array.from(packet.subarray(ID_BYTES));
  for (let at = HEADER_BYTES; at < end; at += 1) bytes[at - ID_BYTES] = LOWER[packet[at] as number] as number;
  return { hash: hashOf(packet, end, circumstances), bytes, circumstances };
}

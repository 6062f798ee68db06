import { HEADER_BYTES } from './message.ts';

/**
 * What tells a query from others that are answered otherwise: everything behind its id, the letters of its name alike
 * in either case (RFC 4343), and the circumstances. Neither finding nor comparing makes any string.
 */
export interface CacheKey {
  readonly hash: number;
  /** The bytes behind the id, the name in lower case. */
  readonly bytes: Uint8Array;
  readonly circumstances: Circumstances;
}

/** How a query came, as far as the answer depends on it. */
export interface Circumstances {
  readonly transport: 'udp' | 'tcp';
  /** Whether recursion is offered to the client. */
  readonly recursion: boolean;
}

const ID_BYTES = 2;
/** Type and class behind the name. */
const TYPE_AND_CLASS = 4;
/** Behind the question: nothing, or an OPT record without options. What has more is one client's own question. */
const [PLAIN, WITH_OPT] = [0, 11];
/** FNV-1a, 32 bits. */
const PRIME = 16_777_619;
/** Not the same in every process, so that nobody can prepare questions that push each other out. */
const SEED = Math.floor(Math.random() * 2 ** 32);
const [UPPER_A, UPPER_Z, CASE_BIT] = [0x41, 0x5a, 0x20];

/** Where the name of a query's only question ends; undefined for queries that are not kept, and what is none. */
export function nameEnd(packet: Uint8Array): number | undefined {
  let at = HEADER_BYTES;
  for (let length = packet[at]; length !== undefined && length !== 0; length = packet[at]) at += 1 + length;
  const rest = packet.length - (at + 1 + TYPE_AND_CLASS);
  return rest === PLAIN || rest === WITH_OPT ? at + 1 : undefined;
}

/** A number that is the same for all queries of one key; `end` is that of the name. */
export function hashOf(packet: Uint8Array, end: number, circumstances: Circumstances): number {
  let hash = SEED ^ ((circumstances.transport === 'tcp' ? 1 : 0) | (circumstances.recursion ? 2 : 0));
  for (let at = ID_BYTES; at < packet.length; at += 1) {
    hash = Math.imul(hash ^ folded(packet, at, end), PRIME);
  }
  return hash;
}

/** Whether a query has this key. */
export function hasKey(
  packet: Uint8Array,
  end: number,
  circumstances: Circumstances,
  { bytes, circumstances: kept }: CacheKey,
): boolean {
  if (packet.length - ID_BYTES !== bytes.length || kept.recursion !== circumstances.recursion) return false;
  if (kept.transport !== circumstances.transport) return false;
  for (let at = ID_BYTES; at < packet.length; at += 1) {
    if (folded(packet, at, end) !== bytes[at - ID_BYTES]) return false;
  }
  return true;
}

/** The key of a query, with a copy of its bytes; undefined for one that is not kept. */
export function keyOf(packet: Uint8Array, circumstances: Circumstances): CacheKey | undefined {
  const end = nameEnd(packet);
  if (end === undefined) return undefined;
  const bytes = new Uint8Array(packet.length - ID_BYTES);
  for (let at = ID_BYTES; at < packet.length; at += 1) bytes[at - ID_BYTES] = folded(packet, at, end);
  return { hash: hashOf(packet, end, circumstances), bytes, circumstances };
}

/** A byte, in lower case where it is a letter of the name: the lengths of labels are less than any letter. */
function folded(packet: Uint8Array, at: number, end: number): number {
  const byte = packet[at] as number;
  const isUpper = byte >= UPPER_A && byte <= UPPER_Z && at >= HEADER_BYTES && at < end;
  return isUpper ? byte | CASE_BIT : byte;
}

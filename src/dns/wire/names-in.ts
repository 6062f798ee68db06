import { HeddleError } from '../../errors.ts';
import { HEADER_BYTES } from './message.ts';
import { MAX_LABEL, MAX_NAME } from './name.ts';

/** Reads names inside another server's message, which may be compressed (RFC 1035 §4.1.4), as bytes, never as text. */

/** The first two bits of a pointer's first byte. */
const POINTER = 0xc0;
/** Record data that may hold compressed names, by type: bytes before the first name, number of names, bytes behind. */
const NAMES_OF: Readonly<Record<string, readonly [before: number, names: number, behind: number]>> = {
  NS: [0, 1, 0],
  CNAME: [0, 1, 0],
  PTR: [0, 1, 0],
  TYPE39: [0, 1, 0],
  SOA: [0, 2, 20],
  MX: [2, 1, 0],
  SRV: [6, 1, 0],
};
/** The type of a record, and where its data lies. */
interface RecordData {
  readonly type: string;
  readonly dataAt: number;
  readonly end: number;
}

const [A_BYTES, AAAA_BYTES] = [4, 16];

/** Where the name at `start` ends in the message; undefined if there is no complete name. */
export function endOfName(message: Uint8Array, start: number): number | undefined {
  let [at, end, bytes, lowest] = [start, 0, 1, start];
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length >= POINTER) {
      const low = message[at + 1];
      if (low === undefined) return undefined;
      end ||= at + 2;
      at = ((length & ~POINTER) << 8) | low;
      // Each pointer must lead before everything read so far, so that every name ends.
      if (at >= lowest || at < HEADER_BYTES) return undefined;
      lowest = at;
      continue;
    }
    if (length === 0) return end || at + 1;
    bytes += 1 + length;
    if (length > MAX_LABEL || bytes > MAX_NAME) return undefined;
    at += 1 + length;
  }
}

/** The bytes of a name without pointers, in lower case. @throws HeddleError `bad-input` if there is no complete name */
export function nameAt(message: Buffer, start: number): Buffer {
  const name = plainNameAt(message, start);
  // A label's length byte is below every letter.
  for (const [at, byte] of name.entries()) if (byte >= 0x41 && byte <= 0x5a) name[at] = byte | 0x20;
  return name;
}

/** The bytes of a name without pointers, in their case. @throws HeddleError `bad-input` if there is no complete name */
export function plainNameAt(message: Buffer, start: number): Buffer {
  if (endOfName(message, start) === undefined) throw new HeddleError('bad-input', `no name at byte ${start}`);
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const length = message[at] as number;
    if (length >= POINTER) {
      at = message.readUInt16BE(at) & 0x3fff;
      continue;
    }
    parts.push(message.subarray(at, at + 1 + length));
    if (length === 0) return Buffer.concat(parts);
    at += 1 + length;
  }
}

/** Where the names in a record's data begin. */
export function namesIn(message: Buffer, { type, dataAt }: RecordData): readonly number[] {
  const [before, names] = NAMES_OF[type] ?? [0, 0];
  const first = dataAt + before;
  if (names < 2) return names === 0 ? [] : [first];
  return [first, endOfName(message, first) as number];
}

/** Whether a record's data has the form of its type. Data of types that are not known here is always valid. */
export function hasValidData(message: Buffer, { type, dataAt, end }: RecordData): boolean {
  if (type === 'A') return end - dataAt === A_BYTES;
  if (type === 'AAAA') return end - dataAt === AAAA_BYTES;
  if (type === 'TXT') return hasValidTexts(message, dataAt, end);
  const names = NAMES_OF[type];
  if (names === undefined) return true;
  const [before, count, behind] = names;
  let at: number | undefined = dataAt + before;
  for (let left = count; left > 0 && at !== undefined; left -= 1) at = endOfName(message, at);
  return at !== undefined && at + behind === end;
}

function hasValidTexts(message: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) at += 1 + (message[at] as number);
  return at === end;
}

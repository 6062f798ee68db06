import { FLAGS } from './message.ts';
import { endOfName, hasValidData } from './names-in.ts';
import { typeName } from './types.ts';

/** The position of one record in a message; offsets in bytes. */
export interface WireRecord {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly type: string;
  readonly start: number;
  readonly ttlAt: number;
  readonly dataAt: number;
  readonly end: number;
}

const RCODE_BITS = 4;
const SECTIONS = ['answer', 'authority', 'additional'] as const;
const OPT = 'OPT';

/** The records behind the question that ends at `start`, up to the first incomplete one. */
export function recordsOf(message: Buffer, start: number): readonly WireRecord[] {
  const records: WireRecord[] = [];
  let at = start;
  for (const [index, section] of SECTIONS.entries()) {
    for (let left = message.readUInt16BE(6 + 2 * index); left > 0; left -= 1) {
      const record = recordAt(message, at, section);
      if (record === undefined) return records;
      records.push(record);
      at = record.end;
    }
  }
  return records;
}

/**
 * All records behind the question that ends at `start`. Undefined if one is missing, incomplete, or holds data that
 * does not have the form of its type.
 */
export function validRecordsOf(message: Buffer, start: number): readonly WireRecord[] | undefined {
  const records = recordsOf(message, start);
  const promised = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  if (records.length !== promised) return undefined;
  for (const record of records) {
    if (endOfName(message, record.start) === undefined || !hasValidData(message, record)) return undefined;
  }
  return records;
}

/** As recordsOf, but lazily, record by record. */
export function* eachRecord(message: Buffer, start: number): Generator<WireRecord> {
  let at = start;
  for (const [index, section] of SECTIONS.entries()) {
    for (let left = message.readUInt16BE(6 + 2 * index); left > 0; left -= 1) {
      const record = recordAt(message, at, section);
      if (record === undefined) return;
      yield record;
      at = record.end;
    }
  }
}

function recordAt(message: Buffer, start: number, section: WireRecord['section']): WireRecord | undefined {
  let at = start;
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    // A pointer ends a name (RFC 1035 §4.1.4), as the root label does.
    if (length >= 0xc0 || length === 0) {
      at += length === 0 ? 1 : 2;
      break;
    }
    at += 1 + length;
  }
  if (at + 10 > message.length) return undefined;
  const dataAt = at + 10;
  const end = dataAt + message.readUInt16BE(at + 8);
  if (end > message.length) return undefined;
  return { section, type: typeName(message.readUInt16BE(at)), start, ttlAt: at + 4, dataAt, end };
}

/**
 * The message without incomplete records and without its OPT record, which concerns only one hop (RFC 6891 §6.1.1).
 * Additionals behind the OPT record are removed, too: pointers into them would no longer be right.
 */
export function withoutOpt(message: Buffer, start: number, records = recordsOf(message, start)): Buffer {
  const opt = records.findIndex(({ type }) => type === OPT);
  const kept = opt < 0 ? records : records.slice(0, opt);
  const result = Buffer.from(message.subarray(0, kept.at(-1)?.end ?? start));
  for (const [index, section] of SECTIONS.entries()) {
    const count = kept.filter((record) => record.section === section).length;
    result.writeUInt16BE(count, 6 + 2 * index);
  }
  return result;
}

/** The response code with its upper bits from the OPT record (RFC 6891 §6.1.3), if there is one. */
export function fullRcode(message: Buffer, records: readonly WireRecord[]): number {
  const opt = records.find(({ type }) => type === OPT);
  const upper = opt === undefined ? 0 : (message[opt.ttlAt] as number);
  return (upper << RCODE_BITS) | (message.readUInt16BE(2) & FLAGS.rcode);
}

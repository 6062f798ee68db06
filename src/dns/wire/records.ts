import { typeName } from './types.ts';

/** Where one record of a message lies; offsets in bytes. */
export interface WireRecord {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly type: string;
  readonly start: number;
  readonly ttlAt: number;
  readonly dataAt: number;
  readonly end: number;
}

const SECTIONS = ['answer', 'authority', 'additional'] as const;
const OPT = 'OPT';

/** The records behind the question that ends at `start`, up to the first that is not whole. */
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
 * The message without its OPT record, which speaks of one hop alone (RFC 6891 §6.1.1), and without what is not
 * whole. Other additionals behind the OPT record go with it: pointers into them would not be true any more.
 */
export function withoutOpt(message: Buffer, start: number): Buffer {
  const records = recordsOf(message, start);
  const opt = records.findIndex(({ type }) => type === OPT);
  const kept = opt < 0 ? records : records.slice(0, opt);
  const result = Buffer.from(message.subarray(0, kept.at(-1)?.end ?? start));
  for (const [index, section] of SECTIONS.entries()) {
    const count = kept.filter((record) => record.section === section).length;
    result.writeUInt16BE(count, 6 + 2 * index);
  }
  return result;
}

/** The upper bits of the response code, which stand in the OPT record (RFC 6891 §6.1.3); 0 without one. */
export function extendedRcode(message: Buffer, start: number): number {
  const opt = recordsOf(message, start).find(({ type }) => type === OPT);
  return opt === undefined ? 0 : (message[opt.ttlAt] as number);
}

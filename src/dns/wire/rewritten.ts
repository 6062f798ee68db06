import { FLAGS, HEADER_BYTES } from './message.ts';
import { endOfName, namesIn, plainNameAt } from './names-in.ts';
import type { WireRecord } from './records.ts';

/** Compression pointers: two bits that no label has, and an offset of 14 bits (RFC 1035 §4.1.4). */
const POINTER = 0xc000;
const MAX_POINTER = 0x3fff;
/** Types whose data must not hold compressed names (RFC 2782, RFC 6672 §2.5). */
const PLAIN_TYPES: ReadonlySet<string> = new Set(['SRV', 'TYPE39']);
const SECTIONS = ['answer', 'authority', 'additional'] as const;

/**
 * Another server's message with only these of its valid records, in their order, with compressed names, and in at most
 * `limit` bytes. Records that do not fit are left out. For additional records TC stays unset, since they are optional
 * (RFC 2181 §9); otherwise TC is set, and as many complete answers are kept as fit. The work is bounded by the output.
 */
export function rewritten(
  message: Buffer,
  questionEnd: number,
  records: Iterable<WireRecord>,
  limit: number,
): Buffer {
  const writer = new RecordWriter(message, questionEnd, limit);
  const counts = { answer: 0, authority: 0, additional: 0 };
  let [answersEnd, authoritiesEnd, isCut] = [questionEnd, questionEnd, false];
  for (const record of records) {
    const { section } = record;
    if (writer.record(record)) {
      counts[section] += 1;
      if (section === 'answer') answersEnd = writer.length;
      if (section !== 'additional') authoritiesEnd = writer.length;
      continue;
    }
    isCut = section !== 'additional';
    counts.additional = 0;
    if (section === 'authority') counts.authority = 0;
    writer.length = isCut ? answersEnd : authoritiesEnd;
    break;
  }
  const result = writer.finish();
  for (const [index, section] of SECTIONS.entries()) result.writeUInt16BE(counts[section], 6 + 2 * index);
  if (isCut) result.writeUInt16BE(result.readUInt16BE(2) | FLAGS.truncated, 2);
  return result;
}

/** Copies records of one message into another one with the same header and question. */
class RecordWriter {
  readonly #from: Buffer;
  readonly #to: Buffer;
  /** Offsets of names that later names may point to, by their bytes in lower case. */
  readonly #known = new Map<string, number>();
  length: number;

  constructor(from: Buffer, questionEnd: number, limit: number) {
    this.#from = from;
    this.#to = Buffer.allocUnsafe(limit);
    from.copy(this.#to, 0, 0, questionEnd);
    this.length = HEADER_BYTES;
    this.#name(HEADER_BYTES, true);
    this.length = questionEnd;
  }

  finish(): Buffer {
    return Buffer.from(this.#to.subarray(0, this.length));
  }

  /** False if the record does not fit; the bytes behind the previous record are then invalid. */
  record(record: WireRecord): boolean {
    const { start, type, ttlAt, dataAt, end } = record;
    if (!this.#name(start, true) || !this.#bytes(ttlAt - 4, dataAt)) return false;
    const lengthAt = this.length - 2;
    let at = dataAt;
    for (const name of namesIn(this.#from, record)) {
      if (!this.#bytes(at, name) || !this.#name(name, !PLAIN_TYPES.has(type))) return false;
      at = endOfName(this.#from, name) as number;
    }
    if (!this.#bytes(at, end)) return false;
    this.#to.writeUInt16BE(this.length - lengthAt - 2, lengthAt);
    return true;
  }

  #bytes(start: number, end: number): boolean {
    if (this.length + end - start > this.#to.length) return false;
    this.length += this.#from.copy(this.#to, this.length, start, end);
    return true;
  }

  #name(start: number, compress: boolean): boolean {
    const name = plainNameAt(this.#from, start);
    const text = name.toString('latin1').toLowerCase();
    for (let at = 0; at < name.length - 1; at += 1 + (name[at] as number)) {
      const suffix = text.slice(at);
      const known = this.#known.get(suffix);
      if (known !== undefined && compress) return this.#put(Buffer.of(known >> 8, known & 0xff));
      if (known === undefined && this.length <= MAX_POINTER) this.#known.set(suffix, POINTER | this.length);
      if (!this.#put(name.subarray(at, at + 1 + (name[at] as number)))) return false;
    }
    return this.#put(name.subarray(name.length - 1));
  }

  #put(bytes: Buffer): boolean {
    if (this.length + bytes.length > this.#to.length) return false;
    this.#to.set(bytes, this.length);
    this.length += bytes.length;
    return true;
  }
}

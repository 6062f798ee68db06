import { HEADER_BYTES } from '../wire/message.ts';
import { endOfName, nameAt, namesIn } from '../wire/names-in.ts';
import type { WireRecord } from '../wire/records.ts';
import type { Question } from '../zone.ts';

/** How many aliases are followed from the queried name; records behind more of them are dropped. */
export const MAX_ALIASES = 16;

/** Types without a mnemonic in our tables, by their numbers. */
const [DNAME, DS, RRSIG, NSEC, NSEC3, SVCB] = ['TYPE39', 'TYPE43', 'TYPE46', 'TYPE47', 'TYPE50', 'TYPE64'];
/** Records besides the SOA that prove an absence; they may have any owner. */
const PROOFS: ReadonlySet<string | undefined> = new Set([DS, RRSIG, NSEC, NSEC3]);
/** A compression pointer to the question: the form of nearly every owner name. */
const POINTER_TO_QUESTION = 0xc000 | HEADER_BYTES;

/**
 * The well-formed records of an answer that belong to its question: records of the queried type, for the name and its
 * aliases; NS and SOA records of their zones; addresses of their targets. Records for other names are not trusted.
 */
export function recordsOnChain(
  message: Buffer,
  records: readonly WireRecord[],
  question: Question,
): readonly WireRecord[] {
  const isPlain = ({ section, type, start }: WireRecord) =>
    section === 'answer' && type === question.type && message.readUInt16BE(start) === POINTER_TO_QUESTION;
  if (records.every((record) => record.type === 'OPT' || isPlain(record))) return records;
  return new Chain(message, records, question).kept();
}

/** Compares names as bytes in lower case. */
class Chain {
  readonly #message: Buffer;
  readonly #records: readonly WireRecord[];
  readonly #question: Question;
  /** The queried name and its aliases. */
  readonly #names = new Set<string>();
  /** The targets of the records that are kept. */
  readonly #targets = new Set<string>();
  readonly #aliases = new Map<string, WireRecord>();

  constructor(message: Buffer, records: readonly WireRecord[], question: Question) {
    this.#message = message;
    this.#records = records;
    this.#question = question;
    for (const record of records) {
      const owner = record.type === 'CNAME' && record.section === 'answer' ? this.#owner(record) : undefined;
      // A name has one alias (RFC 2181 §10.1).
      if (owner !== undefined && !this.#aliases.has(owner)) this.#aliases.set(owner, record);
    }
    this.#follow();
  }

  kept(): readonly WireRecord[] {
    const kept = this.#records.filter((record) => record.type === 'OPT' || this.#belongs(record));
    for (const record of kept) this.#addTargets(record);
    // The additional section is filtered last: only now are all targets known.
    return kept.filter(
      (record) => record.section !== 'additional' || record.type === 'OPT' || this.#isLedTo(record),
    );
  }

  #follow(): void {
    let name = this.#at(HEADER_BYTES);
    for (let left = MAX_ALIASES; left >= 0 && !this.#names.has(name); left -= 1) {
      this.#names.add(name);
      const alias = this.#aliases.get(name);
      if (alias === undefined) return;
      name = this.#at(alias.dataAt);
    }
  }

  #belongs(record: WireRecord): boolean {
    const { section, type } = record;
    if (section === 'additional') return true;
    if (section === 'authority') {
      // Consul adds the SOA of its own domain to a PTR answer.
      if (type === 'SOA' && this.#question.name.endsWith('.arpa')) return true;
      return PROOFS.has(type) || ((type === 'SOA' || type === 'NS') && this.#isAbove(this.#owner(record)));
    }
    const owner = this.#owner(record);
    if (type === DNAME || type === RRSIG) return this.#isAbove(owner);
    if (!this.#names.has(owner)) return false;
    if (type === 'CNAME') return this.#aliases.get(owner) === record;
    // Consul answers a reverse name with PTR, whatever type is queried.
    return type === this.#question.type || type === 'PTR' || this.#question.type === 'ANY';
  }

  /** Whether the owner is a name of the chain or a parent of one. */
  #isAbove(owner: string): boolean {
    if (owner === '\0') return true;
    for (const name of this.#names) {
      for (let at = 0; at < name.length - 1; at += 1 + name.charCodeAt(at)) {
        if (name.length - at === owner.length && name.endsWith(owner)) return true;
      }
    }
    return false;
  }

  #addTargets(record: WireRecord): void {
    const { section, type, dataAt, end } = record;
    if (section === 'additional') {
      // A target may itself be an alias.
      if (type === 'CNAME' && this.#isLedTo(record)) this.#targets.add(this.#at(dataAt));
    } else if (type === 'HTTPS' || type === SVCB) {
      const target = dataAt + 2;
      const targetEnd = endOfName(this.#message, target);
      if (targetEnd !== undefined && targetEnd <= end) this.#targets.add(this.#at(target));
    } else if (type !== 'SOA' && type !== 'CNAME') {
      for (const name of namesIn(this.#message, record)) this.#targets.add(this.#at(name));
    }
  }

  #isLedTo(record: WireRecord): boolean {
    const owner = this.#owner(record);
    return this.#targets.has(owner) || this.#names.has(owner);
  }

  #owner({ start }: WireRecord): string {
    return this.#at(start);
  }

  #at(start: number): string {
    return nameAt(this.#message, start).toString('latin1');
  }
}

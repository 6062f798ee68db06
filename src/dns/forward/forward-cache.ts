import { LRUCache } from 'lru-cache';
import { FLAGS, HEADER_BYTES } from '../wire/message.ts';
import { recordsOf, type WireRecord } from '../wire/records.ts';
import { type Question, RCODES } from '../zone.ts';
import { relayedRcode } from './relay.ts';

export interface CacheOptions {
  /** All kept messages together, in bytes. */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** Milliseconds, of any clock that never goes back. */
  readonly now?: () => number;
}

/** What is kept is at most a day old, and what does not exist three hours (RFC 2308 §5). */
const [MAX_TTL, MAX_NEGATIVE_TTL] = [86_400, 10_800];
/** How long an answer whose time is over may stand in for one that cannot be had (RFC 8767 §5), and its TTL then. */
const [MAX_STALE_MS, STALE_TTL] = [86_400_000, 30];
/** Beside the message: key, entry, links. */
const ENTRY_BYTES = 400;

/** An answer without an OPT record, and a word for the servers that it comes from. */
export interface Answered {
  readonly question: Question;
  readonly message: Buffer;
  readonly from: string;
}

interface Kept {
  readonly message: Buffer;
  readonly from: string;
  readonly records: readonly WireRecord[];
  readonly keptAt: number;
  readonly freshUntil: number;
}

/** An answer from memory: its TTLs are what is left of them. */
export interface Remembered {
  readonly message: Buffer;
  readonly fresh: boolean;
  /** Whether the message is fresh, and its TTLs are the same, now. */
  readonly stillTrue: () => boolean;
}

/** Other servers' answers for as long as their TTLs say, and a day longer for when nobody answers. */
export class ForwardCache {
  readonly #kept: LRUCache<string, Kept>;
  readonly #now: () => number;

  constructor({ maxBytes = 16 << 20, maxEntries = 20_000, now }: CacheOptions = {}) {
    this.#now = now ?? (() => performance.now());
    this.#kept = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      sizeCalculation: ({ message, records }) => message.length + ENTRY_BYTES + 100 * records.length,
    });
  }

  /** What came from other servers is never fresh, since these may know other names; it can stand in for theirs. */
  get(key: string, from: string): Remembered | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const now = this.#now();
    const fresh = now < kept.freshUntil && kept.from === from;
    if (now >= kept.freshUntil + MAX_STALE_MS) {
      this.#kept.delete(key);
      return undefined;
    }
    const age = Math.floor((now - kept.keptAt) / 1000);
    const message = Buffer.from(kept.message);
    for (const { ttlAt } of kept.records) {
      const left = fresh ? Math.max(0, ttlOf(kept.message, ttlAt) - age) : STALE_TTL;
      message.writeUInt32BE(left, ttlAt);
    }
    const until = fresh ? Math.min(kept.freshUntil, kept.keptAt + (age + 1) * 1000) : 0;
    return { message, fresh, stillTrue: () => this.#now() < until };
  }

  /** Keeps an answer, if it may be kept. */
  put(key: string, { question, message, from }: Answered): void {
    const records = recordsOf(message, HEADER_BYTES + question.bytes.length);
    const { seconds, soa } = lifetime(message, records, question.type);
    if (seconds <= 0) return;
    const now = this.#now();
    const kept = soa ? withTtl(message, soa, seconds) : message;
    this.#kept.set(key, { message: kept, from, records, keptAt: now, freshUntil: now + seconds * 1000 });
  }
}

interface Lifetime {
  /** 0 for what must not be kept. */
  readonly seconds: number;
  /** Where it says that something does not exist: by this record. */
  readonly soa?: WireRecord;
}

/** For how long an answer holds. */
function lifetime(message: Buffer, records: readonly WireRecord[], type: string): Lifetime {
  const rcode = relayedRcode(message);
  const isCut = (message.readUInt16BE(2) & FLAGS.truncated) !== 0;
  if (isCut || (rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN)) return { seconds: 0 };
  const answers = records.filter(({ section }) => section === 'answer');
  const ttls = answers.map(({ ttlAt }) => ttlOf(message, ttlAt));
  const isPositive =
    rcode === RCODES.NOERROR && answers.some((answer) => answer.type === type || type === 'ANY');
  if (isPositive) return { seconds: Math.min(MAX_TTL, ...ttls) };
  // Only with an SOA is it known how long something does not exist (RFC 2308 §5); its last field says it, too.
  const soa = records.find((record) => record.section === 'authority' && record.type === 'SOA');
  if (soa === undefined || soa.end - soa.dataAt < 22) return { seconds: 0 };
  const minimum = message.readUInt32BE(soa.end - 4);
  return { seconds: Math.min(MAX_NEGATIVE_TTL, ttlOf(message, soa.ttlAt), minimum, ...ttls), soa };
}

/** Whoever keeps an absence in their turn takes its time from the SOA's TTL, and would keep it for twice as long. */
function withTtl(message: Buffer, { ttlAt }: WireRecord, seconds: number): Buffer {
  const changed = Buffer.from(message);
  changed.writeUInt32BE(seconds, ttlAt);
  return changed;
}

/** With the highest bit set it is to be read as 0 (RFC 2181 §8). */
function ttlOf(message: Buffer, at: number): number {
  const ttl = message.readUInt32BE(at);
  return ttl < 2 ** 31 ? ttl : 0;
}

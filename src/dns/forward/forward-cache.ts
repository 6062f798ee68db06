import { LRUCache } from 'lru-cache';
import { FLAGS, HEADER_BYTES } from '../wire/message.ts';
import { recordsOf, type WireRecord } from '../wire/records.ts';
import { type Question, RCODES } from '../zone.ts';
import { relayedRcode } from './relay.ts';

export interface CacheOptions {
  /** The limit on all cached messages together, in bytes. */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** Seconds: positive answers are cached for at most a day, absences for three hours (RFC 2308 §5). */
const [MAX_TTL, MAX_NEGATIVE_TTL] = [86_400, 10_800];
/** How long an expired answer may be served if no server answers (RFC 8767 §5), and its TTL then. */
const [MAX_STALE_MS, STALE_TTL] = [86_400_000, 30];
/** Memory of an entry besides the message: key, entry, links. */
const ENTRY_BYTES = 400;

/** An answer without an OPT record, and the key of the servers that it comes from. */
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

/** A cached answer, with its remaining TTLs. */
export interface Remembered {
  readonly message: Buffer;
  readonly fresh: boolean;
  /** Whether the message is still fresh and its TTLs are still right. */
  readonly stillTrue: () => boolean;
}

/** Caches other servers' answers for their TTL, and a day longer in case no server answers. */
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

  /**
   * An answer from another set of servers is never fresh: the two sets may know different names. It is only served stale.
   */
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

  /** Caches an answer, if it may be cached. */
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
  /** 0 if the answer must not be cached. */
  readonly seconds: number;
  /** For an absence: the SOA record that states it. */
  readonly soa?: WireRecord;
}

/** How long an answer may be cached. */
function lifetime(message: Buffer, records: readonly WireRecord[], type: string): Lifetime {
  const rcode = relayedRcode(message);
  const isCut = (message.readUInt16BE(2) & FLAGS.truncated) !== 0;
  if (isCut || (rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN)) return { seconds: 0 };
  const answers = records.filter(({ section }) => section === 'answer');
  const ttls = answers.map(({ ttlAt }) => ttlOf(message, ttlAt));
  const isPositive =
    rcode === RCODES.NOERROR && answers.some((answer) => answer.type === type || type === 'ANY');
  if (isPositive) return { seconds: Math.min(MAX_TTL, ...ttls) };
  // Only an SOA states how long an absence holds (RFC 2308 §5): by its TTL and by its last field.
  const soa = records.find((record) => record.section === 'authority' && record.type === 'SOA');
  if (soa === undefined || soa.end - soa.dataAt < 22) return { seconds: 0 };
  const minimum = message.readUInt32BE(soa.end - 4);
  return { seconds: Math.min(MAX_NEGATIVE_TTL, ttlOf(message, soa.ttlAt), minimum, ...ttls), soa };
}

/** Clients that cache an absence use the SOA's TTL; unchanged, it would let them cache the absence for twice as long. */
function withTtl(message: Buffer, { ttlAt }: WireRecord, seconds: number): Buffer {
  const changed = Buffer.from(message);
  changed.writeUInt32BE(seconds, ttlAt);
  return changed;
}

/** A TTL with the highest bit set counts as 0 (RFC 2181 §8). */
function ttlOf(message: Buffer, at: number): number {
  const ttl = message.readUInt32BE(at);
  return ttl < 2 ** 31 ? ttl : 0;
}

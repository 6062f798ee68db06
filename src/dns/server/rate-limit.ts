import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { withoutZone } from '../local-networks.ts';

export interface RateLimitOptions {
  /** Answers per second, on average, to one network. */
  readonly perSecond?: number;
  /** Answers in a burst, before the rate applies. */
  readonly burst?: number;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/** What happens to a query: it is answered, gets TC so that the client retries over TCP, or is dropped silently. */
export type Verdict = 'answer' | 'truncate' | 'drop';

/** Networks remembered; a flood of forged ones evicts the oldest, and costs no further memory. */
const MAX_SOURCES = 10_000;
/** Of the queries beyond the rate, one in this many gets TC: a client with a real address retries over TCP. */
const SLIP = 2;
/** Bytes of the network prefix, /24 and /56: a client that controls one address often controls its neighbours. */
const [IPV4_BYTES, IPV6_BYTES] = [3, 7];

interface Bucket {
  tokens: number;
  at: number;
  beyond: number;
}

/**
 * Limits UDP answers to each external network, so that queries with forged senders cannot make heddle flood a victim.
 * One token bucket per /24 or /56, as in response rate limiting. TCP needs no limit: its senders are real.
 */
export class RateLimit {
  readonly #isLocal: (client: string) => boolean;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_SOURCES });

  /** Local clients are never limited: they are this host, its containers and hosts of its networks. */
  constructor(isLocal: (client: string) => boolean, options: RateLimitOptions = {}) {
    this.#isLocal = isLocal;
    this.#perSecond = options.perSecond ?? 50;
    this.#burst = options.burst ?? 200;
    this.#now = options.now ?? (() => performance.now());
  }

  /** @param type the question's type: ANY has the largest answers, and no client needs it (RFC 8482) */
  judge(client: string, type: string): Verdict {
    if (this.#isLocal(client)) return 'answer';
    const bucket = this.#bucketOf(client);
    if (bucket.tokens < 1) {
      bucket.beyond += 1;
      return bucket.beyond % SLIP === 0 ? 'truncate' : 'drop';
    }
    bucket.tokens -= 1;
    return type === 'ANY' ? 'truncate' : 'answer';
  }

  #bucketOf(client: string): Bucket {
    const now = this.#now();
    const key = networkOf(client);
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, at: now, beyond: 0 };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

function networkOf(client: string): string {
  const bytes = ipaddr.parse(withoutZone(client)).toByteArray();
  return bytes.slice(0, bytes.length === 4 ? IPV4_BYTES : IPV6_BYTES).join('.');
}

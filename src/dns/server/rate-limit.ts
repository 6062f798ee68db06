import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { withoutZone } from '../local-networks.ts';

export interface RateLimitOptions {
  /** Answers a second, in the long run, to one network. */
  readonly perSecond?: number;
  /** Answers at once, before the rate counts. */
  readonly burst?: number;
  /** Milliseconds, of any clock that never goes back. */
  readonly now?: () => number;
}

/** What is done with a query: answered, told to come again over TCP, or passed over in silence. */
export type Verdict = 'answer' | 'cut' | 'drop';

/** Networks remembered; a flood of invented ones pushes out the oldest, and costs no memory. */
const MAX_SOURCES = 10_000;
/** Of the queries beyond the rate, one in so many is cut: a client that is really there asks again over TCP. */
const SLIP = 2;
/** Who can send from one address can send from its neighbours. */
const [IPV4_BYTES, IPV6_BYTES] = [3, 7];

interface Bucket {
  tokens: number;
  at: number;
  beyond: number;
}

/**
 * How many UDP answers a network of strangers gets: with forged senders we must not be somebody's flood. A bucket of
 * tokens for each /24 or /56, as in response rate limiting; TCP needs none, its senders are real.
 */
export class RateLimit {
  readonly #isLocal: (client: string) => boolean;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_SOURCES });

  /** Clients that are local are never limited: they are this host's own containers and neighbours. */
  constructor(isLocal: (client: string) => boolean, options: RateLimitOptions = {}) {
    this.#isLocal = isLocal;
    this.#perSecond = options.perSecond ?? 50;
    this.#burst = options.burst ?? 200;
    this.#now = options.now ?? (() => performance.now());
  }

  /** `type` is that of the question: ANY brings the largest answers and nobody needs it (RFC 8482). */
  judge(client: string, type: string): Verdict {
    if (this.#isLocal(client)) return 'answer';
    const bucket = this.#bucketOf(client);
    if (bucket.tokens < 1) {
      bucket.beyond += 1;
      return bucket.beyond % SLIP === 0 ? 'cut' : 'drop';
    }
    bucket.tokens -= 1;
    return type === 'ANY' ? 'cut' : 'answer';
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

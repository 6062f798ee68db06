import { LRUCache } from 'lru-cache';
import PQueue from 'p-queue';
import { HeddleError } from '../../errors.ts';
import { ClientSlots } from '../../runtime/client-slots.ts';

export interface LastKnownOptions<V = unknown> {
  /** How long an answer is fresh, in ms; default 1,000. */
  readonly freshFor?: number;
  /** Number of answers kept; the least recently used are dropped first. Default 10,000. */
  readonly most?: number;
  /** The approximate size of an answer in memory, in bytes; default 1. */
  readonly bytesOf?: (value: V) => number;
  /** The most bytes of all answers together; default 64 MiB. A longer answer is not kept. */
  readonly mostBytes?: number;
  /** Whether an answer is empty. Unknown names are unlimited, so their answers are kept in a cache of their own. */
  readonly isEmpty?: (value: V) => boolean;
  /** Timeout of one lookup in ms; default 2,000, less than the timeout of resolvers. */
  readonly patience?: number;
}

interface CachedAnswer<V> {
  readonly value: V;
  readonly at: number;
}

/** Number of empty answers kept. */
const MOST_EMPTY = 1000;
const MOST_BYTES = 64 << 20;
/** Concurrent and waiting lookups; more names at once are rejected. */
const CONCURRENCY = 32;
const MOST_WAITING = 1000;
const MOST_ASKING = CONCURRENCY + MOST_WAITING;

/**
 * A cache of lookups in a remote registry. A lookup is repeated once its answer is older than a second, once for all
 * waiting callers. While the registry does not answer, the last answer stays valid and one retry runs per second.
 */
export class LastKnown<V extends object> {
  readonly #ask: (key: string, signal: AbortSignal) => Promise<V>;
  readonly #freshFor: number;
  readonly #patience: number;
  readonly #known: LRUCache<string, CachedAnswer<V>>;
  readonly #empty = new LRUCache<string, CachedAnswer<V>>({ max: MOST_EMPTY });
  /** Keys whose lookup was refused. */
  readonly #refused = new LRUCache<string, { readonly error: HeddleError; readonly until: number }>({
    max: MOST_EMPTY,
  });
  readonly #isEmpty: (value: V) => boolean;
  readonly #asking = new Map<string, Promise<V>>();
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });
  readonly #places = new ClientSlots(MOST_ASKING);
  #awayUntil = 0;
  #away: unknown;

  constructor(ask: (key: string, signal: AbortSignal) => Promise<V>, options: LastKnownOptions<V> = {}) {
    this.#ask = ask;
    this.#freshFor = options.freshFor ?? 1000;
    this.#patience = options.patience ?? 2000;
    const { bytesOf = () => 1 } = options;
    this.#known = new LRUCache({
      max: options.most ?? 10_000,
      maxSize: options.mostBytes ?? MOST_BYTES,
      sizeCalculation: ({ value }) => Math.max(1, bytesOf(value)),
    });
    this.#isEmpty = options.isEmpty ?? (() => false);
  }

  /**
   * Returns at once if the answer is fresh or the registry is unreachable; without a known answer, throws the error of
   * the lookup. Each client has a share of the slots; a lookup without a client counts as a client of its own.
   */
  get(key: string, client = key): V | Promise<V> {
    const now = performance.now();
    const known = this.#known.get(key) ?? this.#empty.get(key);
    if (known !== undefined && now - known.at < this.#freshFor) return known.value;
    if (now < this.#awayUntil) {
      if (known !== undefined) return known.value;
      throw this.#away;
    }
    const refusal = this.#refused.get(key);
    if (refusal !== undefined && now < refusal.until) {
      if (known !== undefined) return known.value;
      throw refusal.error;
    }
    return this.#asking.get(key) ?? this.#start(key, known, client);
  }

  /** The last answer, however old; starts no lookup. */
  peek(key: string): V | undefined {
    return (this.#known.peek(key) ?? this.#empty.peek(key))?.value;
  }

  /** Stores an answer that did not come from a lookup. */
  learn(key: string, value: V): void {
    const [into, outOf] = this.#isEmpty(value) ? [this.#empty, this.#known] : [this.#known, this.#empty];
    outOf.delete(key);
    into.set(key, { value, at: performance.now() });
  }

  /** Number of answers kept. */
  get size(): number {
    return this.#known.size + this.#empty.size;
  }

  #start(key: string, known: CachedAnswer<V> | undefined, client: string): V | Promise<V> {
    if (!this.#places.take(client)) {
      if (known !== undefined) return known.value;
      throw new HeddleError('unreachable', `too many concurrent lookups; ${key} was not looked up`);
    }
    const asking = this.#queue
      .add(() => this.#ask(key, AbortSignal.timeout(this.#patience)))
      .then(
        (value) => {
          this.learn(key, value);
          return value;
        },
        (error: unknown) => {
          // A refusal concerns one name; a registry that does not answer affects all names.
          const until = performance.now() + this.#freshFor;
          if (error instanceof HeddleError && !error.retryable) this.#refused.set(key, { error, until });
          else [this.#away, this.#awayUntil] = [error, until];
          if (known !== undefined) return known.value;
          throw error;
        },
      )
      .finally(() => {
        this.#asking.delete(key);
        this.#places.release(client);
      });
    // The caller may ignore the Promise; the failure is recorded above.
    asking.catch(() => {});
    this.#asking.set(key, asking);
    return asking;
  }
}

import { LRUCache } from 'lru-cache';
import PQueue from 'p-queue';
import { HeddleError } from '../../errors.ts';
import { ClientPlaces } from '../../runtime/client-places.ts';

export interface LastKnownOptions<V = unknown> {
  /** How long an answer is taken as it is, in ms; default 1,000. */
  readonly freshFor?: number;
  /** Answers kept; the least asked for go first. Default 10,000. */
  readonly most?: number;
  /** About how long an answer is in memory, in bytes; default 1. */
  readonly bytesOf?: (value: V) => number;
  /** Of all answers together; default 64 MiB. An answer that is longer by itself is not kept. */
  readonly mostBytes?: number;
  /** Whether there is nothing in an answer. Names that nobody has are endless: they have room of their own. */
  readonly isEmpty?: (value: V) => boolean;
  /** How long one question may take, in ms; default 2,000: less than a resolver's own patience. */
  readonly patience?: number;
}

interface Known<V> {
  readonly value: V;
  readonly at: number;
}

/** Answers with nothing in them that are kept. */
const MOST_EMPTY = 1000;
const MOST_BYTES = 64 << 20;
/** Questions under way at once, and those that may wait for their turn: a flood of names is cut off here. */
const CONCURRENCY = 32;
const MOST_WAITING = 1000;
const MOST_ASKING = CONCURRENCY + MOST_WAITING;

/**
 * Answers of somebody else, asked for when they are older than a second, once for all who wait. While that somebody
 * does not answer, the last known answer stands, and is asked for again only once a second.
 */
export class LastKnown<V extends object> {
  readonly #ask: (key: string, signal: AbortSignal) => Promise<V>;
  readonly #freshFor: number;
  readonly #patience: number;
  readonly #known: LRUCache<string, Known<V>>;
  readonly #empty = new LRUCache<string, Known<V>>({ max: MOST_EMPTY });
  /** Keys that were answered by no. */
  readonly #refused = new LRUCache<string, { readonly error: HeddleError; readonly until: number }>({
    max: MOST_EMPTY,
  });
  readonly #isEmpty: (value: V) => boolean;
  readonly #asking = new Map<string, Promise<V>>();
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });
  readonly #places = new ClientPlaces(MOST_ASKING);
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
   * At once where the answer is fresh, or where nobody can be asked; otherwise throws what asking threw. A client on
   * whose behalf it is asked has a share of the places; what nobody waits for is a client of its own.
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

  /** The last answer, however old; nobody is asked. */
  peek(key: string): V | undefined {
    return (this.#known.peek(key) ?? this.#empty.peek(key))?.value;
  }

  /** Takes an answer that came by itself. */
  learn(key: string, value: V): void {
    const [into, outOf] = this.#isEmpty(value) ? [this.#empty, this.#known] : [this.#known, this.#empty];
    outOf.delete(key);
    into.set(key, { value, at: performance.now() });
  }

  /** Answers that are kept. */
  get size(): number {
    return this.#known.size + this.#empty.size;
  }

  #start(key: string, known: Known<V> | undefined, client: string): V | Promise<V> {
    if (!this.#places.take(client)) {
      if (known !== undefined) return known.value;
      throw new HeddleError('unreachable', `too many names at once; ${key} was not looked up`);
    }
    const asking = this.#queue
      .add(() => this.#ask(key, AbortSignal.timeout(this.#patience)))
      .then(
        (value) => {
          this.learn(key, value);
          return value;
        },
        (error: unknown) => {
          // A refusal is about one name; who does not answer does not for all of them.
          const until = performance.now() + this.#freshFor;
          if (error instanceof HeddleError && !error.retryable) this.#refused.set(key, { error, until });
          else [this.#away, this.#awayUntil] = [error, until];
          if (known !== undefined) return known.value;
          throw error;
        },
      )
      .finally(() => {
        this.#asking.delete(key);
        this.#places.leave(client);
      });
    // Whoever asked may have left: a failure is kept above.
    asking.catch(() => {});
    this.#asking.set(key, asking);
    return asking;
  }
}

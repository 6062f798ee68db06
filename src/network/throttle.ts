export interface ThrottleOptions {
  /** How many calls for a key go through at once. */
  readonly burst: number;
  /** After the burst, one call per interval. */
  readonly everyMs: number;
}

interface KeyState {
  /** Calls of the burst that remain. */
  readonly left: number;
  /** When `left` was last computed. */
  readonly since: number;
  /** A delayed call. */
  readonly timer: NodeJS.Timeout | undefined;
}

/**
 * Limits how often a function is called for each key (token bucket). The first calls of a burst run immediately, later
 * ones once per interval, and the last one is never lost. So a container whose address flaps cannot occupy the daemon.
 */
export class Throttle<Key> {
  readonly #call: (key: Key) => void;
  readonly #options: ThrottleOptions;
  /** Ordered by last call, oldest first. */
  readonly #keys = new Map<Key, KeyState>();

  constructor(call: (key: Key) => void, options: ThrottleOptions) {
    this.#call = call;
    this.#options = options;
  }

  /** Number of remembered keys, which are those that were called recently. */
  get size(): number {
    return this.#keys.size;
  }

  call(key: Key): void {
    const { burst, everyMs } = this.#options;
    const now = performance.now();
    const state = this.#keys.get(key);
    if (state?.timer) return; // the delayed call covers this one
    const regained = state ? Math.floor((now - state.since) / everyMs) : 0;
    const left = state ? Math.min(burst, state.left + regained) : burst;
    const since = state && left < burst ? state.since + regained * everyMs : now;
    if (left > 0) {
      this.#remember(key, { left: left - 1, since, timer: undefined });
      this.#prune(now);
      this.#call(key);
      return;
    }
    const timer = setTimeout(() => {
      this.#remember(key, { left: 0, since: performance.now(), timer: undefined });
      this.#call(key);
    }, everyMs);
    this.#remember(key, { left: 0, since, timer });
  }

  stop(): void {
    for (const { timer } of this.#keys.values()) clearTimeout(timer);
    this.#keys.clear();
  }

  #remember(key: Key, state: KeyState): void {
    this.#keys.delete(key);
    this.#keys.set(key, state);
  }

  /** Drops keys that have regained their whole burst, a few per call. */
  #prune(now: number): void {
    const { burst, everyMs } = this.#options;
    let checked = 0;
    for (const [key, { since, timer }] of this.#keys) {
      if (++checked > 4) return;
      if (!timer && now - since > burst * everyMs) this.#keys.delete(key);
    }
  }
}

export interface ThrottleOptions {
  /** So many at once. */
  readonly burst: number;
  /** Then one each. */
  readonly everyMs: number;
}

interface KeyState {
  readonly left: number;
  readonly since: number;
  readonly timer: NodeJS.Timeout | undefined;
}

/**
 * Calls for a key at once, and where they come too often one in a while, the last of them included: a container that
 * flaps an address is looked at now and then, and not for ever.
 */
export class Throttle<Key> {
  readonly #call: (key: Key) => void;
  readonly #options: ThrottleOptions;
  /** Whoever was called for last comes last. */
  readonly #keys = new Map<Key, KeyState>();

  constructor(call: (key: Key) => void, options: ThrottleOptions) {
    this.#call = call;
    this.#options = options;
  }

  /** How many keys are remembered: those that were called for in the last while. */
  get size(): number {
    return this.#keys.size;
  }

  call(key: Key): void {
    const { burst, everyMs } = this.#options;
    const now = performance.now();
    const known = this.#keys.get(key);
    if (known?.timer) return; // a call is due, and will see this one's reason
    const regained = known ? Math.floor((now - known.since) / everyMs) : 0;
    const left = known ? Math.min(burst, known.left + regained) : burst;
    const since = known && left < burst ? known.since + regained * everyMs : now;
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

  #remember(key: Key, called: KeyState): void {
    this.#keys.delete(key);
    this.#keys.set(key, called);
  }

  /** Whoever would have a whole burst again is forgotten, a few at a time. */
  #prune(now: number): void {
    const { burst, everyMs } = this.#options;
    let looks = 0;
    for (const [key, { since, timer }] of this.#keys) {
      if (++looks > 4) return;
      if (!timer && now - since > burst * everyMs) this.#keys.delete(key);
    }
  }
}

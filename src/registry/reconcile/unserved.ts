import { HeddleError } from '../../errors.ts';
import { type Backoff, backoff, WITHOUT_JITTER } from '../../runtime/backoff.ts';
import type { Logger } from '../../runtime/log.ts';
import { OWNER_META, type Service } from '../../services/service.ts';
import type { Registry } from '../registry.ts';

export interface UnservedOptions {
  /** How long a registry may take to serve a service that it accepted, in ms. */
  readonly patience: number;
}

/**
 * Time until services that are unserved or cannot be compared are checked again, in ms: the cause may have been fixed.
 */
const RECHECK_MS = 5000;

interface Suspicion {
  /** Hash of the content that is not served. */
  readonly hash: string | undefined;
  /** When it was first found unserved, on the monotonic clock in ms. */
  readonly since: number;
  /** How often it was registered again, and when last. */
  readonly tries: number;
  readonly triedAt: number;
}

/** Services to register again. An agent that already holds the content does not always send it to its servers. */
export interface Reregistration {
  readonly ids: readonly string[];
  /** Ids to deregister first. */
  readonly removeFirst: readonly string[];
}

/** First and longest time between tries, doubled in between: a registry that never serves it must not be flooded. */
const RETRY: Backoff = { first: 3000, longest: 60_000 };

/**
 * Services that the registry accepted but does not serve, as of the last check; logged once. A Consul agent lists a
 * service a moment before its servers have it. An unserved service therefore counts only after `patience`.
 */
export class Unserved {
  readonly #registry: Pick<Registry, 'name' | 'unsynced' | 'whyUnsynced'>;
  readonly #log: Logger;
  readonly #options: UnservedOptions;
  #suspicions: ReadonlyMap<string, Suspicion> = new Map();
  /** Hashes of the content served at the last check, by id. */
  #served: ReadonlyMap<string, string | undefined> = new Map();
  #unsynced: readonly string[] = [];
  #why: string | undefined;
  /** Why the services cannot be compared, if the registry refuses the request. */
  #unverified: string | undefined;

  constructor(needs: { readonly registry: Registry; readonly log: Logger }, options: UnservedOptions) {
    this.#registry = needs.registry;
    this.#log = needs.log;
    this.#options = options;
  }

  get unsynced(): readonly string[] {
    return this.#unsynced;
  }

  /** Why services are not served, or why they cannot be compared, and what to do; undefined without a known reason. */
  get why(): string | undefined {
    return this.#unverified ?? this.#why;
  }

  /** Time until the next check, in ms; undefined if none is needed before the next pass. */
  get nextCheckIn(): number | undefined {
    const isUndecided = this.#suspicions.size > this.#unsynced.length;
    if (isUndecided) return this.#options.patience;
    return this.#unsynced.length > 0 || this.why !== undefined ? RECHECK_MS : undefined;
  }

  /** Returns the unserved services that are due for another registration, and counts the try. */
  takeRetries(): Reregistration {
    const none = { ids: [], removeFirst: [] };
    if (this.why !== undefined) return none; // another registration does not fix it
    const now = performance.now();
    const due = this.#unsynced.filter((id) => {
      const { tries = 0, triedAt = 0 } = this.#suspicions.get(id) ?? {};
      return tries === 0 || now - triedAt >= backoff(tries, RETRY, WITHOUT_JITTER);
    });
    const removeFirst = due.filter((id) => (this.#suspicions.get(id)?.tries ?? 0) > 0);
    const tried = due.flatMap((id) => {
      const one = this.#suspicions.get(id);
      return one === undefined ? [] : [[id, { ...one, tries: one.tries + 1, triedAt: now }] as const];
    });
    this.#suspicions = new Map([...this.#suspicions, ...tried]);
    return { ids: due, removeFirst };
  }

  /** @throws HeddleError `unreachable`; a refused comparison is logged, and no service counts as unserved */
  async check(held: readonly Service[], signal: AbortSignal): Promise<void> {
    try {
      this.#suspect(await this.#registry.unsynced(held, signal), held);
      const unsynced = this.#unservedTooLong();
      const why = unsynced.length > 0 ? await this.#registry.whyUnsynced?.(signal) : undefined;
      if (unsynced.length > 0 && (this.#unsynced.length === 0 || why !== this.#why))
        this.#logUnserved(unsynced, why);
      this.#unsynced = unsynced;
      this.#why = why;
      this.#unverified = undefined;
    } catch (error) {
      if (!(error instanceof HeddleError) || error.retryable) throw error;
      if (this.#unverified !== error.message) this.#log.warn(error.message);
      this.#unverified = error.message;
      this.#suspicions = new Map();
      this.#unsynced = [];
      this.#why = undefined;
    }
  }

  #suspect(ids: readonly string[], held: readonly Service[]): void {
    const hashes = new Map(held.map(({ id, meta }) => [id, meta[OWNER_META.hash]]));
    const now = performance.now();
    const suspicions = ids.map((id) => {
      const hash = hashes.get(id);
      const earlier = this.#suspicions.get(id);
      if (earlier !== undefined && earlier.hash === hash) return [id, earlier] as const;
      // Content that was served before is not merely late: it was removed from the catalog.
      const wasServed = hash !== undefined && this.#served.get(id) === hash;
      const since = wasServed ? Number.NEGATIVE_INFINITY : now;
      return [id, { hash, since, tries: 0, triedAt: 0 }] as const;
    });
    for (const id of ids) hashes.delete(id);
    this.#served = hashes;
    this.#suspicions = new Map(suspicions);
  }

  #unservedTooLong(): readonly string[] {
    const latest = performance.now() - this.#options.patience;
    return [...this.#suspicions].filter(([, { since }]) => since <= latest).map(([id]) => id);
  }

  #logUnserved(unsynced: readonly string[], why: string | undefined): void {
    const fields = { services: unsynced.slice(0, 10), count: unsynced.length };
    const what = `${this.#registry.name} accepted services that its catalog does not serve`;
    this.#log.warn(fields, why === undefined ? `${what}; registering them again` : `${what}: ${why}`);
  }
}

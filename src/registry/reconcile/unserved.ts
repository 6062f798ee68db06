import { HeddleError } from '../../errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { OWNER_META, type Service } from '../../services/service.ts';
import type { Registry } from '../registry.ts';

export interface UnservedOptions {
  /** How long a registry may take until it serves what it took, in ms. */
  readonly patience: number;
}

/** What is not served, or cannot be seen, is looked at again soon: it may have been mended. */
const MENDED_MS = 5000;

interface Suspicion {
  /** The content that is not served. */
  readonly hash: string | undefined;
  /** When that was first seen, in ms of the process. */
  readonly since: number;
  /** How often it was registered again for that, and when for the last time. */
  readonly tries: number;
  readonly triedAt: number;
}

/** What is to be registered again: an agent that is told what it has may not send it to its servers. */
export interface Again {
  readonly ids: readonly string[];
  /** Ids that are to be removed first. */
  readonly renewed: readonly string[];
}

/** Between two tries, doubled up to the longest: a registry that refuses for good is not to be flooded. */
const [TRY_AGAIN_MS, LONGEST_MS] = [3000, 60_000];

/**
 * What a registry acknowledged and does not serve all the same, as of the last look; said once. A Consul agent lists
 * what it takes a moment before its servers have it, so what is not served at one look only counts if it still is not
 * when that moment is over.
 */
export class Unserved {
  readonly #registry: Pick<Registry, 'name' | 'unsynced' | 'whyUnsynced'>;
  readonly #log: Logger;
  readonly #options: UnservedOptions;
  #suspicions: ReadonlyMap<string, Suspicion> = new Map();
  /** What was served at the last look: the hash of its content, by id. */
  #served: ReadonlyMap<string, string | undefined> = new Map();
  #unsynced: readonly string[] = [];
  #why: string | undefined;
  /** Why it cannot be compared, when the registry refuses that. */
  #unverified: string | undefined;

  constructor(needs: { readonly registry: Registry; readonly log: Logger }, options: UnservedOptions) {
    this.#registry = needs.registry;
    this.#log = needs.log;
    this.#options = options;
  }

  get unsynced(): readonly string[] {
    return this.#unsynced;
  }

  /** Why, or why that cannot be told, and what to do, where that is known. */
  get why(): string | undefined {
    return this.#unverified ?? this.#why;
  }

  /** How soon another look is due, in ms; undefined where nothing asks for one. */
  get lookAgain(): number | undefined {
    const isUndecided = this.#suspicions.size > this.#unsynced.length;
    if (isUndecided) return this.#options.patience;
    return this.#unsynced.length > 0 || this.why !== undefined ? MENDED_MS : undefined;
  }

  /** What is to be registered again now, of what the last look found; each is given once a try. */
  again(): Again {
    const none = { ids: [], renewed: [] };
    if (this.why !== undefined) return none; // registering does not mend it
    const now = performance.now();
    const due = this.#unsynced.filter((id) => {
      const { tries = 0, triedAt = 0 } = this.#suspicions.get(id) ?? {};
      return tries === 0 || now - triedAt >= Math.min(LONGEST_MS, TRY_AGAIN_MS * 2 ** (tries - 1));
    });
    const renewed = due.filter((id) => (this.#suspicions.get(id)?.tries ?? 0) > 0);
    const tried = due.flatMap((id) => {
      const one = this.#suspicions.get(id);
      return one === undefined ? [] : [[id, { ...one, tries: one.tries + 1, triedAt: now }] as const];
    });
    this.#suspicions = new Map([...this.#suspicions, ...tried]);
    return { ids: due, renewed };
  }

  /** @throws HeddleError `unreachable`; a refusal to compare is said, and counts as nothing found */
  async look(held: readonly Service[], signal: AbortSignal): Promise<void> {
    try {
      this.#suspect(await this.#registry.unsynced(held, signal), held);
      const unsynced = this.#unservedForLong();
      const why = unsynced.length > 0 ? await this.#registry.whyUnsynced?.(signal) : undefined;
      if (unsynced.length > 0 && (this.#unsynced.length === 0 || why !== this.#why)) this.#say(unsynced, why);
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
      // What was served already is not about to be: somebody took it out.
      const wasServed = hash !== undefined && this.#served.get(id) === hash;
      const since = wasServed ? Number.NEGATIVE_INFINITY : now;
      return [id, { hash, since, tries: 0, triedAt: 0 }] as const;
    });
    for (const id of ids) hashes.delete(id);
    this.#served = hashes;
    this.#suspicions = new Map(suspicions);
  }

  #unservedForLong(): readonly string[] {
    const latest = performance.now() - this.#options.patience;
    return [...this.#suspicions].filter(([, { since }]) => since <= latest).map(([id]) => id);
  }

  #say(unsynced: readonly string[], why: string | undefined): void {
    const some = { services: unsynced.slice(0, 10), count: unsynced.length };
    const what = `${this.#registry.name} took services that its catalog does not serve`;
    this.#log.warn(some, why === undefined ? `${what}; they are registered again` : `${what}: ${why}`);
  }
}

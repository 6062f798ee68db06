import type { BlockingQueries, Instance } from '../registry.ts';
import { followIndex } from './follow-index.ts';

export interface NameWatchesNeeds {
  readonly blockingQueries: Pick<BlockingQueries, 'changes'>;
  /** Called with the instances of a name whenever they change. */
  readonly learn?: (name: string, instances: readonly Instance[]) => void;
}

export interface NameWatchesOptions {
  /** The most names watched at once; default 32. Each holds a connection to the registry. */
  readonly most?: number;
  /** How long a name is watched after its last use, in ms; default a minute. */
  readonly idleFor?: number;
}

const MOST = 32;
const IDLE_MS = 60_000;
/** Pause between two queries of one name: a name that changes all the time must not take all our time. */
const PACE_MS = 20;

interface Watched {
  readonly stopping: AbortController;
  /** Undefined while the registry does not answer. */
  instances: readonly Instance[] | undefined;
  /** True if the name was used since this field was last read. */
  asked: boolean;
  askedAt: number;
}

/**
 * Names that are watched by blocking queries of a shared registry: their instances are current and cost no lookup. Each
 * name is watched once for all clients, for as long as it is in use.
 */
export class NameWatches {
  readonly #needs: NameWatchesNeeds;
  readonly #most: number;
  readonly #idleFor: number;
  readonly #watched = new Map<string, Watched>();
  #stopped = false;

  constructor(needs: NameWatchesNeeds, { most = MOST, idleFor = IDLE_MS }: NameWatchesOptions = {}) {
    this.#needs = needs;
    this.#most = most;
    this.#idleFor = idleFor;
  }

  get size(): number {
    return this.#watched.size;
  }

  /** The instances of a name in lower case; undefined if it is not watched or the registry does not answer. */
  get(name: string): readonly Instance[] | undefined {
    const watched = this.#watched.get(name);
    if (watched === undefined) return undefined;
    watched.asked = true;
    return watched.instances;
  }

  /** Watches a name that was looked up and found, if there is room. */
  watch(name: string): void {
    if (!this.#stopped && !this.#watched.has(name) && this.#watched.size < this.#most) this.#begin(name);
  }

  /** Stops for good: a running lookup may still try to watch its name. */
  stop(): void {
    this.#stopped = true;
    for (const [name, watched] of this.#watched) this.#end(name, watched);
  }

  #begin(name: string): void {
    const watched: Watched = {
      stopping: new AbortController(),
      instances: undefined,
      asked: true,
      askedAt: Number.NEGATIVE_INFINITY,
    };
    this.#watched.set(name, watched);
    const { signal } = watched.stopping;
    const callbacks = {
      changed: (instances: readonly Instance[]) => {
        watched.instances = instances;
        this.#needs.learn?.(name, instances);
      },
      lost: () => {
        watched.instances = undefined;
      },
      polled: () => {
        if (this.#isIdle(watched)) this.#end(name, watched);
      },
    };
    const ask = (index: number) => this.#needs.blockingQueries.changes(name, index, signal);
    void followIndex(ask, callbacks, { paceMs: PACE_MS, signal });
  }

  /** A name without instances is dropped too: its query would return with every change in the catalog. */
  #isIdle(watched: Watched): boolean {
    return watched.instances?.length === 0 || performance.now() - lastAsked(watched) > this.#idleFor;
  }

  #end(name: string, watched: Watched): void {
    watched.stopping.abort();
    this.#watched.delete(name);
  }
}

/** Reads the clock only here, not with every answer, of which there may be a hundred thousand a second. */
function lastAsked(watched: Watched): number {
  if (watched.asked) watched.askedAt = performance.now();
  watched.asked = false;
  return watched.askedAt;
}

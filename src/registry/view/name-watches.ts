import type { Instance, Moving } from '../registry.ts';
import { followIndex } from './follow-index.ts';

export interface NameWatchesNeeds {
  readonly moving: Pick<Moving, 'changes'>;
  /** Hears what stands under a name whenever that is something else. */
  readonly learn?: (name: string, instances: readonly Instance[]) => void;
}

export interface NameWatchesOptions {
  /** Names watched at once; default 32. Each holds a connection to the registry. */
  readonly most?: number;
  /** How long a name that nobody asks for is watched on, in ms; default a minute. */
  readonly idleFor?: number;
}

const MOST = 32;
const IDLE_MS = 60_000;
/** Between two questions about one name: one that changes all the time must not keep us busy with it alone. */
const PACE_MS = 20;

interface Watched {
  readonly stopping: AbortController;
  /** As long as the registry answers. */
  instances: readonly Instance[] | undefined;
  /** Whether anybody asked since the last look at this. */
  asked: boolean;
  askedAt: number;
}

/**
 * The names that are waited on at a shared registry: their answers are as it has them, and cost no question. Each is
 * watched once for all who ask, for as long as somebody does.
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

  /** What stands under a name in lower case; undefined where it is not watched, or nobody answers. */
  get(name: string): readonly Instance[] | undefined {
    const watched = this.#watched.get(name);
    if (watched === undefined) return undefined;
    watched.asked = true;
    return watched.instances;
  }

  /** Watches a name that was asked for and found, if there is room. */
  want(name: string): void {
    if (!this.#stopped && !this.#watched.has(name) && this.#watched.size < this.#most) this.#begin(name);
  }

  /** For good: a question that is under way may still want its name watched. */
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
    const heard = {
      changed: (instances: readonly Instance[]) => {
        watched.instances = instances;
        this.#needs.learn?.(name, instances);
      },
      lost: () => {
        watched.instances = undefined;
      },
      asked: () => {
        if (this.#isOver(watched)) this.#end(name, watched);
      },
    };
    const ask = (index: number) => this.#needs.moving.changes(name, index, signal);
    void followIndex(ask, heard, { paceMs: PACE_MS, signal });
  }

  /** A name that nothing stands under wakes its watcher with every change of anything. */
  #isOver(watched: Watched): boolean {
    return watched.instances?.length === 0 || performance.now() - lastAsked(watched) > this.#idleFor;
  }

  #end(name: string, watched: Watched): void {
    watched.stopping.abort();
    this.#watched.delete(name);
  }
}

/** Noted when it is looked at, not with every answer: there may be a hundred thousand a second. */
function lastAsked(watched: Watched): number {
  if (watched.asked) watched.askedAt = performance.now();
  watched.asked = false;
  return watched.askedAt;
}

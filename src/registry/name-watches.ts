import { setTimeout as delay } from 'node:timers/promises';
import type { Instance, Moving } from './registry.ts';

export interface NameWatchesNeeds {
  readonly moving: Moving;
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
/** While nobody answers: doubled up to the most, so that a registry that returns is known again within 5 s. */
const [RETRY_MS, MAX_RETRY_MS] = [500, 3000];

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
  readonly #kept = new Set<string>();
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

  /** Watches a name whether it is asked for or not, in the place of one that is only asked for if need be. */
  keep(name: string): void {
    this.#kept.add(name);
    if (!this.#watched.has(name) && this.#watched.size >= this.#most) this.#makeRoom();
    this.want(name);
  }

  /** From now on it is watched for as long as it is asked for. */
  release(name: string): void {
    this.#kept.delete(name);
    const watched = this.#watched.get(name);
    if (watched && this.#isOver(name, watched)) this.#end(name, watched);
  }

  /** For good: a question that is under way may still want its name watched. */
  stop(): void {
    this.#stopped = true;
    for (const [name, watched] of this.#watched) this.#end(name, watched);
  }

  #begin(name: string): void {
    const watched = {
      stopping: new AbortController(),
      instances: undefined,
      asked: !this.#kept.has(name),
      askedAt: Number.NEGATIVE_INFINITY,
    };
    this.#watched.set(name, watched);
    void this.#follow(name, watched);
  }

  async #follow(name: string, watched: Watched): Promise<void> {
    const { signal } = watched.stopping;
    let [index, failures] = [0, 0];
    while (!signal.aborted) {
      try {
        const now = await this.#needs.moving.changes(name, index, signal);
        if (signal.aborted) return;
        if (now.index !== index) this.#learn(name, watched, now.instances);
        // It goes back when data was lost; a question for more than there is would wait in vain.
        index = now.index < index ? 0 : now.index;
        failures = 0;
      } catch {
        if (signal.aborted) return;
        watched.instances = undefined;
        index = 0;
        failures += 1;
      }
      if (this.#isOver(name, watched)) this.#end(name, watched);
      const pause = failures === 0 ? PACE_MS : retryAfter(failures);
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  #learn(name: string, watched: Watched, instances: readonly Instance[]): void {
    watched.instances = instances;
    this.#needs.learn?.(name, instances);
  }

  /** A name that nothing stands under wakes its watcher with every change of anything. */
  #isOver(name: string, watched: Watched): boolean {
    if (this.#kept.has(name)) return false;
    return watched.instances?.length === 0 || performance.now() - lastAsked(watched) > this.#idleFor;
  }

  #makeRoom(): void {
    const unkept = [...this.#watched].filter(([name]) => !this.#kept.has(name));
    const [oldest] = unkept.sort(([, one], [, other]) => lastAsked(one) - lastAsked(other));
    if (oldest) this.#end(...oldest);
  }

  #end(name: string, watched: Watched): void {
    watched.stopping.abort();
    this.#watched.delete(name);
  }
}

/** Half as much again or half as long, so that the watches do not all come at once. */
function retryAfter(failures: number): number {
  return Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (failures - 1)) * (0.5 + Math.random());
}

/** Noted when it is looked at, not with every answer: there may be a hundred thousand a second. */
function lastAsked(watched: Watched): number {
  if (watched.asked) watched.askedAt = performance.now();
  watched.asked = false;
  return watched.askedAt;
}

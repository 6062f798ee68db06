import { setTimeout as delay } from 'node:timers/promises';
import { isTold } from '../services/service.ts';
import type { Desired } from './desired.ts';
import type { Instance, Moving } from './registry.ts';

export interface HealthWatchNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off'>;
  readonly moving: Moving;
}

export interface HealthWatchOptions {
  /** Names watched at once; default 32. Each holds a connection to the agent; what is beyond is asked for when asked. */
  readonly most?: number;
}

const MOST = 32;
const RETRY_MS = 1000;

interface Watched {
  readonly stopping: AbortController;
  /** Services of this host that have the name. */
  readonly ids: Set<string>;
  /** As long as the agent answers. */
  instances: readonly Instance[] | undefined;
}

/**
 * What the agent says of names whose checks it runs for services of this host: waited for, so that what it finds
 * critical leaves our answers when it leaves its own.
 */
export class HealthWatch {
  readonly #needs: HealthWatchNeeds;
  readonly #most: number;
  readonly #watched = new Map<string, Watched>();
  /** By service id. */
  readonly #names = new Map<string, string>();

  constructor(needs: HealthWatchNeeds, options: HealthWatchOptions = {}) {
    this.#needs = needs;
    this.#most = options.most ?? MOST;
  }

  /** Call it before there are services. */
  start(): void {
    this.#needs.desired.on('changed', this.#onChanged);
  }

  async stop(): Promise<void> {
    this.#needs.desired.off('changed', this.#onChanged);
    for (const { stopping } of this.#watched.values()) stopping.abort();
    this.#watched.clear();
    this.#names.clear();
  }

  /** What stands under a name in lower case, everywhere; undefined where it is not watched, or nobody answers. */
  get(name: string): readonly Instance[] | undefined {
    return this.#watched.get(name)?.instances;
  }

  readonly #onChanged = (ids: readonly string[]): void => {
    for (const id of ids) {
      const service = this.#needs.desired.get(id);
      const checked = service?.checks.some((check) => !isTold(check)) === true;
      this.#concern(id, checked ? service?.name.toLowerCase() : undefined);
    }
  };

  #concern(id: string, name: string | undefined): void {
    const before = this.#names.get(id);
    if (before === name) return;
    if (before !== undefined) this.#forget(id, before);
    if (name === undefined || (!this.#watched.has(name) && this.#watched.size >= this.#most)) return;
    this.#names.set(id, name);
    const watched = this.#watched.get(name) ?? this.#begin(name);
    watched.ids.add(id);
  }

  #forget(id: string, name: string): void {
    this.#names.delete(id);
    const watched = this.#watched.get(name);
    watched?.ids.delete(id);
    if (watched === undefined || watched.ids.size > 0) return;
    watched.stopping.abort();
    this.#watched.delete(name);
  }

  #begin(name: string): Watched {
    const watched: Watched = { stopping: new AbortController(), ids: new Set(), instances: undefined };
    this.#watched.set(name, watched);
    void this.#follow(name, watched);
    return watched;
  }

  async #follow(name: string, watched: Watched): Promise<void> {
    const { signal } = watched.stopping;
    let index = 0;
    while (!signal.aborted) {
      try {
        const now = await this.#needs.moving.changes(name, index, signal);
        watched.instances = now.instances;
        // It goes back when data was lost; a question for more than there is would wait in vain.
        index = now.index < index ? 0 : now.index;
      } catch {
        watched.instances = undefined;
        index = 0;
        const pause = RETRY_MS * (0.5 + Math.random());
        await delay(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

import { isReported } from '../services/service.ts';
import type { Desired } from './desired.ts';
import { followIndex } from './follow-index.ts';
import type { InstanceHealth, Moving } from './registry.ts';

export interface HealthWatchNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off'>;
  readonly moving: Pick<Moving, 'health'>;
  /** The node of this host's agent, as far as it is known. */
  readonly node: () => string;
}

/** An answer holds every check of the node: after one, others are waited for that come at the same time. */
const PACE_MS = 50;

/**
 * What an agent finds of this host's services, so that what it finds critical leaves our answers when it leaves its
 * own. Asked only while there are services whose checks it runs.
 */
export class HealthWatch {
  readonly #needs: HealthWatchNeeds;
  /** Ids of services whose checks an agent runs. */
  readonly #checked = new Set<string>();
  #watching: AbortController | undefined;
  #health: ReadonlyMap<string, InstanceHealth> | undefined;

  constructor(needs: HealthWatchNeeds) {
    this.#needs = needs;
  }

  /** Call it before there are services. */
  start(): void {
    this.#needs.desired.on('changed', this.#onChanged);
  }

  async stop(): Promise<void> {
    this.#needs.desired.off('changed', this.#onChanged);
    this.#end();
  }

  /** By the id of the service, as last known while nobody answers; undefined until somebody has. */
  get health(): ReadonlyMap<string, InstanceHealth> | undefined {
    return this.#health;
  }

  readonly #onChanged = (ids: readonly string[]): void => {
    for (const id of ids) {
      if (this.#needs.desired.get(id)?.checks.some((check) => !isReported(check))) this.#checked.add(id);
      else this.#checked.delete(id);
    }
    if (this.#checked.size === 0) this.#end();
    else if (this.#watching === undefined) this.#begin();
  };

  #begin(): void {
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const { moving, node } = this.#needs;
    const heard = {
      changed: (health: ReadonlyMap<string, InstanceHealth>) => {
        this.#health = health;
      },
      lost: () => {},
    };
    void followIndex((index) => moving.health(node(), index, signal), heard, { paceMs: PACE_MS, signal });
  }

  #end(): void {
    this.#watching?.abort();
    this.#watching = undefined;
    this.#health = undefined;
  }
}

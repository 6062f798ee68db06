import { isReported } from '../../services/service.ts';
import type { Desired } from '../reconcile/desired.ts';
import type { BlockingQueries, HealthQuery, NodeHealth, Registry } from '../registry.ts';
import { followIndex } from './follow-index.ts';

export interface HealthWatchNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off'>;
  readonly blockingQueries: Pick<BlockingQueries, 'health'>;
  /** The name of this host's node, as known now. */
  readonly node: () => string;
  /** Who runs the checks of services. */
  readonly checkedBy: Registry['checkedBy'];
}

/** Pause between two queries. Each answer contains every check of the node, so changes are collected first. */
const PACE_MS = 50;

/**
 * Watches the health of this host's node and services in Consul: checks run by the agent, foreign checks, and
 * maintenance. An instance that Consul omits from its answers is omitted from ours. Queries run only while there are
 * services; while the agent runs no check of ours, only for the few checks that do not pass.
 */
export class HealthWatch {
  readonly #needs: HealthWatchNeeds;
  readonly #services = new Set<string>();
  /** Ids of services whose checks an agent runs. */
  readonly #checked = new Set<string>();
  #watching: AbortController | undefined;
  #filter: HealthQuery['only'] | undefined;
  #health: NodeHealth | undefined;

  constructor(needs: HealthWatchNeeds) {
    this.#needs = needs;
  }

  /** Must be called before there are services. */
  start(): void {
    this.#needs.desired.on('changed', this.#onChanged);
  }

  async stop(): Promise<void> {
    this.#needs.desired.off('changed', this.#onChanged);
    this.#end();
    this.#health = undefined;
  }

  /** The last known health; undefined until Consul has answered. */
  get health(): NodeHealth | undefined {
    return this.#health;
  }

  /** Watches another node; the health of the old node stays valid until the first answer. */
  restart(): void {
    if (this.#filter === undefined) return;
    this.#end();
    this.#adjust();
  }

  readonly #onChanged = (ids: readonly string[]): void => {
    for (const id of ids) {
      const service = this.#needs.desired.get(id);
      if (service === undefined) this.#services.delete(id);
      else this.#services.add(id);
      const runsOne =
        this.#needs.checkedBy === 'agent' && service?.checks.some((check) => !isReported(check));
      if (runsOne) this.#checked.add(id);
      else this.#checked.delete(id);
    }
    this.#adjust();
  };

  #adjust(): void {
    const asks = this.#services.size === 0 ? undefined : this.#checked.size === 0 ? 'unwell' : 'all';
    if (asks === this.#filter) return;
    // The old health stays until the next answer, which is the first to include a newly checked service.
    if (asks === undefined) this.#health = undefined;
    this.#end();
    this.#filter = asks;
    if (asks !== undefined) this.#begin(asks);
  }

  #begin(only: HealthQuery['only']): void {
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const { blockingQueries, node } = this.#needs;
    const callbacks = {
      changed: (health: NodeHealth) => {
        this.#health = health;
      },
      lost: () => {},
    };
    const ask = (index: number) => blockingQueries.health({ node: node(), only }, index, signal);
    void followIndex(ask, callbacks, { paceMs: PACE_MS, signal });
  }

  #end(): void {
    this.#watching?.abort();
    this.#watching = undefined;
    this.#filter = undefined;
  }
}

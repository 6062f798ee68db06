import { isReported } from '../../services/service.ts';
import type { Desired } from '../reconcile/desired.ts';
import type { ChecksAsked, Moving, NodeHealth, Registry } from '../registry.ts';
import { followIndex } from './follow-index.ts';

export interface HealthWatchNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off'>;
  readonly moving: Pick<Moving, 'health'>;
  /** The node that this host's services stand on, as far as it is known. */
  readonly node: () => string;
  /** Who runs the checks of services. */
  readonly checkedBy: Registry['checkedBy'];
}

/** An answer holds every check of the node: after one, others are waited for that come at the same time. */
const PACE_MS = 50;

/**
 * What Consul finds of this host's node and services: checks that an agent runs, checks that somebody else put there,
 * and maintenance. What it leaves out of its answers leaves ours as well. Asked only while there are services; while no
 * agent runs a check of ours, only for checks that do not pass, which are few.
 */
export class HealthWatch {
  readonly #needs: HealthWatchNeeds;
  readonly #services = new Set<string>();
  /** Ids of services whose checks an agent runs. */
  readonly #checked = new Set<string>();
  #watching: AbortController | undefined;
  #asks: ChecksAsked['only'] | undefined;
  #health: NodeHealth | undefined;

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
    this.#health = undefined;
  }

  /** As last known while nobody answers; undefined until somebody has. */
  get health(): NodeHealth | undefined {
    return this.#health;
  }

  /** The services stand on another node now: what was found on the one before counts until there is an answer. */
  restart(): void {
    if (this.#asks === undefined) return;
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
    if (asks === this.#asks) return;
    // What was found stays until the next answer: a service whose check is to be asked for is not among it yet.
    if (asks === undefined) this.#health = undefined;
    this.#end();
    this.#asks = asks;
    if (asks !== undefined) this.#begin(asks);
  }

  #begin(only: ChecksAsked['only']): void {
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const { moving, node } = this.#needs;
    const heard = {
      changed: (health: NodeHealth) => {
        this.#health = health;
      },
      lost: () => {},
    };
    const ask = (index: number) => moving.health({ node: node(), only }, index, signal);
    void followIndex(ask, heard, { paceMs: PACE_MS, signal });
  }

  #end(): void {
    this.#watching?.abort();
    this.#watching = undefined;
    this.#asks = undefined;
  }
}

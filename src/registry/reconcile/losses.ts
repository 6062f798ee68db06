import type { Logger } from '../../runtime/log.ts';
import type { Registry } from '../registry.ts';

export interface LossesNeeds {
  readonly registry: Pick<Registry, 'name'>;
  readonly log: Logger;
}

/**
 * Tracks the ids that we registered. An id that disappears without us removing it was lost, with the registry's data or
 * because someone deleted it. Each loss is logged once.
 */
export class Losses {
  readonly #registry: LossesNeeds['registry'];
  readonly #log: Logger;
  readonly #registered = new Set<string>();

  constructor({ registry, log }: LossesNeeds) {
    this.#registry = registry;
    this.#log = log;
  }

  /** Records that the registry accepted this id. */
  trackRegistered(id: string): void {
    this.#registered.add(id);
  }

  /** Records that we removed this id. */
  untrack(id: string): void {
    this.#registered.delete(id);
  }

  /**
   * Compares the tracked ids with those that the registry holds. Ids written since that list was read are skipped
   * (`recentlyWritten`): the list is out of date for them.
   */
  compare(
    held: ReadonlySet<string>,
    needs: { wanted(id: string): boolean; recentlyWritten(id: string): boolean },
  ): void {
    const { wanted, recentlyWritten } = needs;
    const missing = [...this.#registered].filter((id) => !held.has(id) && !recentlyWritten(id));
    for (const id of missing) this.#registered.delete(id);
    for (const id of held) if (!recentlyWritten(id)) this.#registered.add(id);
    const lost = missing.filter(wanted);
    if (lost.length === 0) return;
    const fields = { services: lost.slice(0, 10), count: lost.length };
    const what = `${this.#registry.name} had lost ${lost.length} of this host's services`;
    this.#log.info(fields, `${what}; registering them again`);
  }
}

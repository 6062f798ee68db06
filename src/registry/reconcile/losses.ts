import type { Logger } from '../../runtime/log.ts';
import type { Registry } from '../registry.ts';

export interface LossesNeeds {
  readonly registry: Pick<Registry, 'name'>;
  readonly log: Logger;
}

/**
 * Ids that a registry has from us. One that is missing there without our doing was lost, with the registry's data or
 * by somebody else's hand; that is said once a loss.
 */
export class Losses {
  readonly #registry: LossesNeeds['registry'];
  readonly #log: Logger;
  readonly #entrusted = new Set<string>();

  constructor({ registry, log }: LossesNeeds) {
    this.#registry = registry;
    this.#log = log;
  }

  /** The registry took this one. */
  entrust(id: string): void {
    this.#entrusted.add(id);
  }

  /** The registry removed this one for us. */
  takeBack(id: string): void {
    this.#entrusted.delete(id);
  }

  /** After a look at what the registry holds; it tells nothing of ids that were written since it began: `unsure`. */
  look(held: ReadonlySet<string>, needs: { wanted(id: string): boolean; unsure(id: string): boolean }): void {
    const gone = [...this.#entrusted].filter((id) => !held.has(id) && !needs.unsure(id));
    for (const id of gone) this.#entrusted.delete(id);
    for (const id of held) if (!needs.unsure(id)) this.#entrusted.add(id);
    const lost = gone.filter((id) => needs.wanted(id));
    if (lost.length === 0) return;
    const some = { services: lost.slice(0, 10), count: lost.length };
    const what = `${this.#registry.name} had lost ${lost.length} of this host's services`;
    this.#log.info(some, `${what}; they are registered again`);
  }
}

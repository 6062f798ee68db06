import { isTold } from '../services/service.ts';
import type { Desired } from './desired.ts';

export interface HealthWatchNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off'>;
  /** Where names are watched, asked for or not. */
  readonly names: { keep(name: string): void; release(name: string): void };
}

/**
 * Has those names watched whose checks an agent runs for services of this host, so that what it finds critical leaves
 * our answers when it leaves its own.
 */
export class HealthWatch {
  readonly #needs: HealthWatchNeeds;
  /** By service id. */
  readonly #names = new Map<string, string>();

  constructor(needs: HealthWatchNeeds) {
    this.#needs = needs;
  }

  /** Call it before there are services. */
  start(): void {
    this.#needs.desired.on('changed', this.#onChanged);
  }

  async stop(): Promise<void> {
    this.#needs.desired.off('changed', this.#onChanged);
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
    if (name === undefined) this.#names.delete(id);
    else this.#names.set(id, name);
    if (name !== undefined) this.#needs.names.keep(name);
    if (before !== undefined && ![...this.#names.values()].includes(before))
      this.#needs.names.release(before);
  }
}

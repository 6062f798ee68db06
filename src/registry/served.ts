import { HeddleError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Service } from '../services/service.ts';
import type { Registry } from './registry.ts';

/** What a registry acknowledged and does not serve all the same, as of the last look; said once. */
export class Served {
  readonly #registry: Pick<Registry, 'name' | 'unsynced' | 'whyUnsynced'>;
  readonly #log: Logger;
  #unsynced: readonly string[] = [];
  #why: string | undefined;
  /** Why it cannot be compared, when the registry refuses that. */
  #unverified: string | undefined;

  constructor(needs: { readonly registry: Registry; readonly log: Logger }) {
    this.#registry = needs.registry;
    this.#log = needs.log;
  }

  get unsynced(): readonly string[] {
    return this.#unsynced;
  }

  /** Why, or why that cannot be told, and what to do, where that is known. */
  get why(): string | undefined {
    return this.#unverified ?? this.#why;
  }

  /** @throws HeddleError `unreachable`; a refusal to compare is said, and counts as nothing found */
  async look(held: readonly Service[], signal: AbortSignal): Promise<void> {
    try {
      const unsynced = await this.#registry.unsynced(held, signal);
      const why = unsynced.length > 0 ? await this.#registry.whyUnsynced?.(signal) : undefined;
      if (unsynced.length > 0 && (this.#unsynced.length === 0 || why !== this.#why)) this.#say(unsynced, why);
      this.#unsynced = unsynced;
      this.#why = why;
      this.#unverified = undefined;
    } catch (error) {
      if (!(error instanceof HeddleError) || error.retryable) throw error;
      if (this.#unverified !== error.message) this.#log.warn(error.message);
      this.#unverified = error.message;
      this.#unsynced = [];
      this.#why = undefined;
    }
  }

  #say(unsynced: readonly string[], why: string | undefined): void {
    const some = { services: unsynced.slice(0, 10), count: unsynced.length };
    const what = `${this.#registry.name} took services that its catalog does not serve`;
    this.#log.warn(some, why === undefined ? what : `${what}: ${why}`);
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Zone } from '../zone.ts';

/** Resolvers in containers ask again, or give up, after 5 s. */
const PATIENCE_MS = 4_000;

/**
 * The first link of the chain: it never answers, but holds questions back until everything that runs has been looked
 * at. Before that "there is no such name" would be a guess, and a daemon that is restarted would deny what it knows.
 */
export class FirstLook implements Zone {
  readonly name = 'first-look';
  readonly #known: () => Promise<unknown>;
  readonly #patience: number;
  #waiting: Promise<undefined> | undefined;
  #over = false;

  /** @param known resolves when everything that runs is known, or cannot be for now */
  constructor(known: () => Promise<unknown>, options: { readonly patience?: number } = {}) {
    this.#known = known;
    this.#patience = options.patience ?? PATIENCE_MS;
  }

  resolve(): undefined | Promise<undefined> {
    if (this.#over) return undefined;
    this.#waiting ??= this.#wait();
    return this.#waiting;
  }

  async #wait(): Promise<undefined> {
    await Promise.race([this.#known(), delay(this.#patience, undefined, { ref: false })]);
    this.#over = true;
  }
}

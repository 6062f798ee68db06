import { setTimeout as delay } from 'node:timers/promises';
import type { Zone } from '../zone.ts';

/** Resolvers in containers retry, or give up, after 5 s. */
const PATIENCE_MS = 4_000;

/**
 * The first link of the chain: it never answers, but holds questions until the first full scan has found all running
 * containers. An earlier NXDOMAIN would be a guess: a restarted daemon would deny names that exist.
 */
export class FirstScan implements Zone {
  readonly name = 'first-scan';
  readonly #rosterComplete: () => Promise<unknown>;
  readonly #patience: number;
  #waiting: Promise<undefined> | undefined;
  #isOver = false;

  /** @param rosterComplete resolves when all running containers are known, or cannot be known for now */
  constructor(rosterComplete: () => Promise<unknown>, options: { readonly patience?: number } = {}) {
    this.#rosterComplete = rosterComplete;
    this.#patience = options.patience ?? PATIENCE_MS;
  }

  resolve(): undefined | Promise<undefined> {
    if (this.#isOver) return undefined;
    this.#waiting ??= this.#wait();
    return this.#waiting;
  }

  async #wait(): Promise<undefined> {
    await Promise.race([this.#rosterComplete(), delay(this.#patience, undefined, { ref: false })]);
    this.#isOver = true;
  }
}

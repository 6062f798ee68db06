import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../runtime/log.ts';
import type { Documents } from './documents.ts';

export interface FetcherNeeds {
  readonly documents: Documents;
  /** All have answered, and not at once: what was made without them can be made anew. */
  readonly completed: () => void;
  readonly log: Logger;
  /** In ms; default 5,000. */
  readonly retryEvery?: number;
}

const RETRY_MS = 5_000;

/** Has a template's documents fetched before anything is registered; those that fail then, in the background. */
export class Fetcher {
  readonly #needs: FetcherNeeds;
  readonly #stopping = new AbortController();
  #trying: Promise<void> = Promise.resolve();

  constructor(needs: FetcherNeeds) {
    this.#needs = needs;
  }

  /** Resolves after the first attempt: a server that is away is no error. */
  async start(): Promise<void> {
    const { documents, log } = this.#needs;
    const complaints = await documents.ask(this.#stopping.signal);
    if (this.#stopping.signal.aborted) return;
    for (const complaint of complaints) log.warn(`${complaint}; until it answers, --tags gives no tags`);
    if (!documents.complete) this.#trying = this.#tryAgain();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#trying;
  }

  async #tryAgain(): Promise<void> {
    const { documents, completed, log, retryEvery = RETRY_MS } = this.#needs;
    const { signal } = this.#stopping;
    while (!documents.complete && !signal.aborted) {
      await delay(retryEvery, undefined, { signal }).catch(() => undefined);
      await documents.ask(signal);
    }
    if (signal.aborted) return;
    log.info('what --tags gets has answered');
    completed();
  }
}

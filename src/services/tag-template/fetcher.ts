import type { Logger } from '../../runtime/log.ts';
import { pause } from '../../runtime/pause.ts';
import type { Documents } from './documents.ts';

export interface FetcherNeeds {
  readonly documents: Documents;
  /** Called when all documents are fetched after the start: tags made without them can be made again. */
  readonly completed: () => void;
  readonly log: Logger;
  /** In ms; default 5,000. */
  readonly retryEvery?: number;
}

const RETRY_MS = 5_000;

/** Fetches a template's documents before anything is registered, and retries failed ones in the background. */
export class Fetcher {
  readonly #needs: FetcherNeeds;
  readonly #stopping = new AbortController();
  #retries: Promise<void> = Promise.resolve();

  constructor(needs: FetcherNeeds) {
    this.#needs = needs;
  }

  /** Resolves after the first attempt; an unreachable server is not an error. */
  async start(): Promise<void> {
    const { documents, log } = this.#needs;
    const failures = await documents.fetchMissing(this.#stopping.signal);
    if (this.#stopping.signal.aborted) return;
    for (const failure of failures) log.warn(`${failure}; until it answers, --tags gives no tags`);
    if (!documents.complete) this.#retries = this.#retry();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#retries;
  }

  async #retry(): Promise<void> {
    const { documents, completed, log, retryEvery = RETRY_MS } = this.#needs;
    const { signal } = this.#stopping;
    while (!documents.complete && !signal.aborted) {
      await pause(retryEvery, signal);
      await documents.fetchMissing(signal);
    }
    if (signal.aborted) return;
    log.info('all documents of --tags are fetched');
    completed();
  }
}

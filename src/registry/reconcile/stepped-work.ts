type Steps<T> = Generator<void, T>;

/**
 * Runs one piece of stepped work for each key: the first steps at once, each further step in its own turn of the event
 * loop, so that the daemon stays responsive. New work for a key replaces the work that is running for it.
 */
export class SteppedWork<T> {
  readonly #atOnce: number;
  readonly #running = new Map<string, AbortController>();
  readonly #ending = new Set<Promise<void>>();

  constructor({ atOnce }: { readonly atOnce: number }) {
    this.#atOnce = atOnce;
  }

  /** Calls `done` before it returns if the first steps suffice. */
  start(key: string, steps: Steps<T>, done: (result: T) => void): void {
    this.cancel(key);
    for (let taken = 0; taken < this.#atOnce; taken++) {
      const step = steps.next();
      if (!step.done) continue;
      done(step.value);
      return;
    }
    const stopping = new AbortController();
    this.#running.set(key, stopping);
    const ended = this.#continue(steps, done, stopping.signal).finally(() => {
      this.#ending.delete(ended);
      if (this.#running.get(key) === stopping) this.#running.delete(key);
    });
    this.#ending.add(ended);
  }

  cancel(key: string): void {
    this.#running.get(key)?.abort();
    this.#running.delete(key);
  }

  /** Resolves when no work is running. */
  async idle(): Promise<void> {
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  async #continue(steps: Steps<T>, done: (result: T) => void, stopped: AbortSignal): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (stopped.aborted) return;
      const step = steps.next();
      if (!step.done) continue;
      done(step.value);
      return;
    }
  }
}

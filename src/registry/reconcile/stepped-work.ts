type Steps<T> = Generator<void, T>;

/**
 * Work in steps, one for each key: a few steps at once, and each further one in a turn of the event loop, so that
 * everything else goes on in between. New work of a key takes the place of what it has under way.
 */
export class SteppedWork<T> {
  readonly #atOnce: number;
  readonly #underWay = new Map<string, AbortController>();
  readonly #ending = new Set<Promise<void>>();

  constructor({ atOnce }: { readonly atOnce: number }) {
    this.#atOnce = atOnce;
  }

  /** Calls back before it returns where the steps at once are enough. */
  start(key: string, steps: Steps<T>, done: (result: T) => void): void {
    this.cancel(key);
    for (let taken = 0; taken < this.#atOnce; taken++) {
      const step = steps.next();
      if (!step.done) continue;
      done(step.value);
      return;
    }
    const stopping = new AbortController();
    this.#underWay.set(key, stopping);
    const ended = this.#goOn(steps, done, stopping.signal).finally(() => {
      this.#ending.delete(ended);
      if (this.#underWay.get(key) === stopping) this.#underWay.delete(key);
    });
    this.#ending.add(ended);
  }

  cancel(key: string): void {
    this.#underWay.get(key)?.abort();
    this.#underWay.delete(key);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  async #goOn(steps: Steps<T>, done: (result: T) => void, stopped: AbortSignal): Promise<void> {
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

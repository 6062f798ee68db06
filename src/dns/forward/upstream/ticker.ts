/** What is to be seen to when its time has come. */
export interface Ticking {
  /** As performance.now() counts. */
  readonly dueAt: number;
  tick(): void;
}

/** How late something may be seen to, in milliseconds. */
const EVERY_MS = 20;

/** One timer for many: a timer for each question costs more than all else that is done for most of them. */
export class Ticker {
  readonly #all = new Set<Ticking>();
  #timer: NodeJS.Timeout | undefined;

  add(one: Ticking): void {
    this.#all.add(one);
    this.#timer ??= setInterval(() => this.#tick(), EVERY_MS);
  }

  delete(one: Ticking): void {
    // The timer runs on until it finds nothing: the next question may come at once.
    this.#all.delete(one);
  }

  #tick(): void {
    if (this.#all.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    for (const one of this.#all) if (one.dueAt <= now) one.tick();
  }
}

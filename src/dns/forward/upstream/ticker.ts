/** An object whose `tick` is called once `dueAt` has passed. */
export interface Ticking {
  /** On the clock of performance.now(). */
  readonly dueAt: number;
  tick(): void;
}

/** How late a tick may be, in milliseconds. */
const EVERY_MS = 20;

/** One timer for many objects: a timer for each query would cost more than all other work for most queries. */
export class Ticker {
  readonly #all = new Set<Ticking>();
  #timer: NodeJS.Timeout | undefined;

  add(one: Ticking): void {
    this.#all.add(one);
    this.#timer ??= setInterval(() => this.#tick(), EVERY_MS);
  }

  delete(one: Ticking): void {
    // The timer runs until it finds nothing: the next query may come immediately.
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

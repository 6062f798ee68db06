import PQueue from 'p-queue';

export interface LanesOptions {
  /** Inspections in parallel: an engine answers no faster with more. */
  readonly lanes?: number;
  /** For containers that were slow the last time. */
  readonly slowLanes?: number;
  /** Reading what a container controls takes a few milliseconds; after this many it gives its lane to others. */
  readonly lingeringMs?: number;
  /** An inspection of at least this length counts as slow. */
  readonly slowMs?: number;
}

/**
 * Limits how many containers are inspected in parallel. A container can make its inspection take seconds (a lock on its
 * namespace, a file system that hangs). Such an inspection gives its lane back soon and goes on without one. The next
 * inspection of that container waits for one of a few slow lanes.
 */
export class Lanes {
  readonly #quick: PQueue;
  readonly #behind: PQueue;
  readonly #slow = new Set<string>();
  readonly #lingeringMs: number;
  readonly #slowMs: number;
  readonly #running = new Set<Promise<void>>();

  constructor({ lanes = 16, slowLanes = 4, lingeringMs = 50, slowMs = 1_000 }: LanesOptions = {}) {
    this.#quick = new PQueue({ concurrency: lanes });
    this.#behind = new PQueue({ concurrency: slowLanes });
    this.#lingeringMs = lingeringMs;
    this.#slowMs = slowMs;
  }

  /**
   * @param work calls `lingers` when the container controls how long the rest takes; until then it keeps its lane
   * @returns a promise that settles with `work`, however long it takes
   */
  run(container: string, work: (lingers: () => void) => Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isSlow = this.#slow.has(container);
    void (isSlow ? this.#behind : this.#quick).add(async () => {
      const late = Promise.withResolvers<void>();
      let began: number | undefined;
      let timer: NodeJS.Timeout | undefined;
      const done = work(() => {
        began ??= performance.now();
        timer ??= setTimeout(late.resolve, this.#lingeringMs);
      });
      const ended = done.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        this.#note(container, began);
      });
      this.#running.add(ended);
      void ended.then(() => this.#running.delete(ended));
      await (isSlow ? ended : Promise.race([ended, late.promise]));
    });
    return promise;
  }

  /** Drops the work that has not begun. */
  clear(): void {
    this.#quick.clear();
    this.#behind.clear();
  }

  /** Resolves when no work is running. */
  async onIdle(): Promise<void> {
    await this.#quick.onIdle();
    await this.#behind.onIdle();
    await Promise.all(this.#running);
  }

  /** Forgets that a removed container was slow. */
  forget(container: string): void {
    this.#slow.delete(container);
  }

  #note(container: string, began: number | undefined): void {
    const isSlow = began !== undefined && performance.now() - began > this.#slowMs;
    if (isSlow) this.#slow.add(container);
    else this.#slow.delete(container);
  }
}

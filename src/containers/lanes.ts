import PQueue from 'p-queue';

export interface LanesOptions {
  /** Looks side by side: an engine answers no faster with more. */
  readonly lanes?: number;
  /** For those that were slow the last time. */
  readonly slowLanes?: number;
  /** A look at a container's own things takes a few milliseconds; after so many its lane is for others. */
  readonly lingeringMs?: number;
  /** One that took so long counts as slow. */
  readonly slowMs?: number;
}

/**
 * Who is looked at side by side. A container can make a look at it take seconds (a lock on its namespace, a file system
 * that hangs): it gives its lane back soon, goes on beside, and waits for one of a few lanes the next time.
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
   * @param work calls `lingers` where what follows is in the container's hands; before that it keeps its lane
   * @returns what `work` returns, however long it takes
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

  /** Drops what has not begun. */
  clear(): void {
    this.#quick.clear();
    this.#behind.clear();
  }

  /** Resolves when nothing is under way. */
  async onIdle(): Promise<void> {
    await this.#quick.onIdle();
    await this.#behind.onIdle();
    await Promise.all(this.#running);
  }

  /** It is forgotten: containers come and go. */
  forget(container: string): void {
    this.#slow.delete(container);
  }

  #note(container: string, began: number | undefined): void {
    const isSlow = began !== undefined && performance.now() - began > this.#slowMs;
    if (isSlow) this.#slow.add(container);
    else this.#slow.delete(container);
  }
}

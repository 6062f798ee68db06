import { HeddleError } from '../errors.ts';

export interface Part {
  start(): void | Promise<void>;
  stop(): Promise<void>;
}

/** What a process has started: stopped backwards, or handed over to another process once all of it runs. */
export class Lifecycle {
  /** What stops the parts, in the order of starting. */
  readonly #stops: (() => Promise<unknown>)[] = [];
  #state: 'still starting' | 'running' | 'handing over already' | 'stopping' = 'still starting';

  async begin(part: Part): Promise<void> {
    this.onStop(() => part.stop());
    await part.start();
  }

  /** For what is started in another way. */
  onStop(stop: () => Promise<unknown>): void {
    this.#stops.push(stop);
  }

  /** Everything has begun. */
  complete(): void {
    if (this.#state === 'still starting') this.#state = 'running';
  }

  get handingOver(): boolean {
    return this.#state === 'handing over already';
  }

  /**
   * Stops everything but the first part, which the one who takes over is waiting at.
   * @throws HeddleError `refused` while that would leave parts behind: some have not begun yet, or are being stopped
   */
  async handOver(): Promise<void> {
    if (this.#state !== 'running') throw new HeddleError('refused', `it is ${this.#state}`);
    this.#state = 'handing over already';
    while (this.#stops.length > 1) await this.#stops.pop()?.();
  }

  /** Idempotent, at any time. */
  async stop(): Promise<void> {
    if (!this.handingOver) this.#state = 'stopping';
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop();
  }
}

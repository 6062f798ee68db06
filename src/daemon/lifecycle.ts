import { HeddleError } from '../errors.ts';

/** Something that a process starts, stops, or both. */
export interface StartStop {
  start?(): unknown;
  stop?(): Promise<unknown>;
}

/** A part and its name, for the reader of the start order. */
export type Step = readonly [name: string, part: StartStop | undefined];

/** What a process has started: stopped backwards, or handed over to another process once all of it runs. */
export class Lifecycle {
  /** What stops the parts, in the order of starting. */
  readonly #stops: (() => Promise<unknown>)[] = [];
  #state: 'still starting' | 'running' | 'handing over already' | 'stopping' = 'still starting';

  /** Starts the parts one after the other; parts that this process has no use for are left out. */
  async start(order: readonly Step[]): Promise<void> {
    for (const [, part] of order) if (part) await this.begin(part);
    if (this.#state === 'still starting') this.#state = 'running';
  }

  async begin(part: StartStop): Promise<void> {
    if (part.stop) this.#stops.push(() => part.stop?.() ?? Promise.resolve());
    await part.start?.();
  }

  get handingOver(): boolean {
    return this.#state === 'handing over already';
  }

  /**
   * Stops everything but the first part that can be stopped: the successor is connected to it.
   * @throws HeddleError `refused` while that would leave parts behind: some have not started yet, or are being stopped
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

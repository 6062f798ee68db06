import { Lanes } from './lanes.ts';

/**
 * The inspections that are waiting or running: one at a time per container. A mark during an inspection starts another
 * one after it, so the last one sees every earlier change.
 */
export class Inspections {
  readonly #inspect: (container: string, lingers: () => void) => Promise<void>;
  readonly #lanes = new Lanes();
  readonly #waiting = new Map<string, Promise<void>>();
  readonly #running = new Map<string, Promise<void>>();

  /** @param inspect never throws; calls `lingers` when the container controls how long the rest takes */
  constructor(inspect: (container: string, lingers: () => void) => Promise<void>) {
    this.#inspect = inspect;
  }

  /** Marks a container: it is inspected soon, once however often it is marked. Resolves after that inspection. */
  mark(container: string): Promise<void> {
    const waiting = this.#waiting.get(container);
    if (waiting !== undefined) return waiting;
    const inspection: Promise<void> = (this.#running.get(container) ?? Promise.resolve()).then(() =>
      this.#lanes.run(container, async (lingers) => {
        this.#waiting.delete(container);
        this.#running.set(container, inspection);
        try {
          await this.#inspect(container, lingers);
        } finally {
          this.#running.delete(container);
        }
      }),
    );
    this.#waiting.set(container, inspection);
    return inspection;
  }

  isRunning(container: string): boolean {
    return this.#running.has(container);
  }

  /** Containers that are being inspected. */
  running(): readonly string[] {
    return [...this.#running.keys()];
  }

  get pending(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** Forgets how long the inspections of a removed container took. */
  forget(container: string): void {
    this.#lanes.forget(container);
  }

  /** Drops the inspections that have not begun. */
  clear(): void {
    this.#lanes.clear();
  }

  /** Resolves when no inspection is running. */
  async onIdle(): Promise<void> {
    await this.#lanes.onIdle();
  }
}

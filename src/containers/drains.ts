import type { ContainerEvent } from '../docker/events.ts';
import type { Snapshot } from '../docker/snapshot.ts';

const SIGTERM = 15;
/** A container that ignores its stop signal and has no stop timeout gets at least this much time. */
const LEAST_MS = 1_000;
/** Timers take no more than 2³¹ ms. */
const MOST_MS = 24 * 60 * 60 * 1_000;

/** Whether this event asks the container to stop: with its own stop signal, or TERM. */
export function isStopRequest({ action, signal }: ContainerEvent, { stop }: Snapshot): boolean {
  return action === 'kill' && (Number(signal) === stop.signal || Number(signal) === SIGTERM);
}

/** Containers that were asked to stop. One that outlives its stop timeout counts as running again. */
export class Drains {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #over: (container: string) => void;

  /** @param over called with a container that outlived its stop timeout */
  constructor(over: (container: string) => void) {
    this.#over = over;
  }

  has(container: string): boolean {
    return this.#timers.has(container);
  }

  begin({ id, stop }: Snapshot): void {
    this.end(id);
    const patience = Math.min(Math.max(stop.timeout * 1_000, LEAST_MS), MOST_MS);
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#over(id);
    }, patience);
    this.#timers.set(id, timer.unref());
  }

  end(container: string): void {
    clearTimeout(this.#timers.get(container));
    this.#timers.delete(container);
  }

  stop(): void {
    for (const container of [...this.#timers.keys()]) this.end(container);
  }
}

import type { Desired } from '../registry/reconcile/desired.ts';
import { milliseconds } from '../services/checks/duration.ts';
import { REPORTS_PER_TTL } from '../services/checks/rate-limit.ts';
import { isReported, type Service } from '../services/service.ts';

export interface HeartbeatsNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off'>;
  /** Reports the check statuses of a service again. */
  readonly beat: (service: string) => void;
}

const MAX_PERIOD_MS = 3_600_000;

/** Reports the checks that would expire without new reports: one timer for each service with such checks. */
export class Heartbeats {
  readonly #needs: HeartbeatsNeeds;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(needs: HeartbeatsNeeds) {
    this.#needs = needs;
  }

  /** Call it before the first service is desired. */
  start(): void {
    this.#needs.desired.on('changed', this.#onChanged);
  }

  async stop(): Promise<void> {
    this.#needs.desired.off('changed', this.#onChanged);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  readonly #onChanged = (ids: readonly string[]): void => {
    for (const id of ids) {
      clearTimeout(this.#timers.get(id));
      this.#timers.delete(id);
      const period = periodOf(this.#needs.desired.get(id));
      // The services of a container appear together; their reports are spread over the period.
      if (period !== undefined) this.#beatAfter((1 - Math.random()) * period, id, period);
    }
  };

  #beatAfter(ms: number, id: string, period: number): void {
    const beat = () => {
      this.#beatAfter(period, id, period);
      this.#needs.beat(id);
    };
    this.#timers.set(id, setTimeout(beat, ms));
  }
}

function periodOf(service: Service | undefined): number | undefined {
  const lifetimes = (service?.checks ?? [])
    .filter(isReported)
    .map((check) => ('ttl' in check ? milliseconds(check.ttl) : MAX_PERIOD_MS * REPORTS_PER_TTL))
    .filter((lifetime) => lifetime !== undefined);
  return lifetimes.length === 0
    ? undefined
    : Math.min(MAX_PERIOD_MS, Math.min(...lifetimes) / REPORTS_PER_TTL);
}

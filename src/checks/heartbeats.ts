import type { Desired } from '../registry/reconcile/desired.ts';
import { milliseconds } from '../services/checks/duration.ts';
import { REPORTS_PER_TTL } from '../services/checks/pace.ts';
import { isReported, type Service } from '../services/service.ts';

export interface HeartbeatsNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off'>;
  /** Has the health of a service told again. */
  readonly beat: (service: string) => void;
}

const LONGEST_MS = 3_600_000;

/** Keeps checks alive that expire unless somebody tells them anew: a timer for each service that has such, no more. */
export class Heartbeats {
  readonly #needs: HeartbeatsNeeds;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(needs: HeartbeatsNeeds) {
    this.#needs = needs;
  }

  /** Call it before there are services. */
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
      // The services of a container appear together, and are not all to be told in one instant.
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
  const lives = (service?.checks ?? [])
    .filter(isReported)
    .map((check) => ('ttl' in check ? milliseconds(check.ttl) : LONGEST_MS * REPORTS_PER_TTL))
    .filter((life) => life !== undefined);
  return lives.length === 0 ? undefined : Math.min(LONGEST_MS, Math.min(...lives) / REPORTS_PER_TTL);
}

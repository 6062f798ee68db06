type Job = () => Promise<void>;

export interface SlotsOptions {
  /** The number of concurrent jobs. */
  readonly total: number;
  /** Concurrent jobs of one owner while more than half of all slots are free; else one. */
  readonly each: number;
  /** Time between the starts of two jobs of one owner, in ms; default 0. */
  readonly restMs?: number;
}

interface Waiting {
  readonly job: Job;
  readonly isOver: () => boolean;
}

/**
 * Runs jobs concurrently. Owners take turns, so that no owner's jobs delay another owner's. Each turn of the event loop
 * starts one job, so that hundreds that are due at once do not block everything else.
 */
export class Slots {
  readonly #options: SlotsOptions;
  /** Waiting jobs by owner, in the order of the owners' turns. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #running = new Map<string, number>();
  /** Owners whose last job started less than `restMs` ago. */
  readonly #resting = new Set<string>();
  #busy = 0;
  #scheduled: NodeJS.Immediate | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** Queues a job, which must not throw. It is dropped if `isOver` is true when its turn comes. */
  add(owner: string, job: Job, isOver: () => boolean = () => false): void {
    const jobs = this.#waiting.get(owner);
    if (jobs === undefined) this.#waiting.set(owner, [{ job, isOver }]);
    else jobs.push({ job, isOver });
    this.#fill();
  }

  /** Drops the jobs that have not started. */
  clear(): void {
    this.#waiting.clear();
    this.#resolveIdle();
  }

  /** Resolves when no job runs or waits. */
  async idle(): Promise<void> {
    if (this.#busy === 0 && this.#waiting.size === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #fill(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      const owner = this.#next();
      if (owner === undefined) return;
      this.#run(owner);
      this.#fill();
    });
  }

  #next(): string | undefined {
    const { total, each } = this.#options;
    const free = total - this.#busy;
    if (free <= 0) return undefined;
    const most = free > total / 2 ? each : 1;
    for (const owner of this.#waiting.keys()) {
      if ((this.#running.get(owner) ?? 0) < most && !this.#resting.has(owner)) return owner;
    }
    return undefined;
  }

  #run(owner: string): void {
    const jobs = this.#waiting.get(owner) ?? [];
    let next = jobs.shift();
    while (next?.isOver()) next = jobs.shift();
    // An owner with more jobs goes to the end of the queue.
    this.#waiting.delete(owner);
    if (jobs.length > 0) this.#waiting.set(owner, jobs);
    if (next === undefined) {
      this.#resolveIdle();
      return;
    }
    this.#busy++;
    this.#running.set(owner, (this.#running.get(owner) ?? 0) + 1);
    this.#rest(owner);
    void next.job().finally(() => this.#ended(owner));
  }

  #rest(owner: string): void {
    const { restMs = 0 } = this.#options;
    if (restMs === 0) return;
    this.#resting.add(owner);
    const over = () => {
      this.#resting.delete(owner);
      if (this.#waiting.has(owner)) this.#fill();
    };
    setTimeout(over, restMs).unref();
  }

  #ended(owner: string): void {
    this.#busy--;
    const left = (this.#running.get(owner) ?? 0) - 1;
    if (left > 0) this.#running.set(owner, left);
    else this.#running.delete(owner);
    if (this.#waiting.size > 0) this.#fill();
    this.#resolveIdle();
  }

  #resolveIdle(): void {
    if (this.#busy > 0 || this.#waiting.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

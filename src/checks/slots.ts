type Job = () => Promise<void>;

export interface SlotsOptions {
  /** Jobs at once. */
  readonly total: number;
  /** Of them, those of one owner, while more than half of all are free; else one. */
  readonly each: number;
}

/** Runs jobs side by side, so that no owner's jobs keep another owner waiting: owners take turns. */
export class Slots {
  readonly #options: SlotsOptions;
  /** By owner, in the order of their turns. */
  readonly #waiting = new Map<string, Job[]>();
  readonly #running = new Map<string, number>();
  #busy = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** The job must not throw. */
  add(owner: string, job: Job): void {
    const jobs = this.#waiting.get(owner);
    if (jobs === undefined) this.#waiting.set(owner, [job]);
    else jobs.push(job);
    this.#fill();
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    if (this.#busy === 0 && this.#waiting.size === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #fill(): void {
    for (let owner = this.#next(); owner !== undefined; owner = this.#next()) this.#run(owner);
  }

  #next(): string | undefined {
    const { total, each } = this.#options;
    const free = total - this.#busy;
    if (free <= 0) return undefined;
    const most = free > total / 2 ? each : 1;
    for (const owner of this.#waiting.keys()) if ((this.#running.get(owner) ?? 0) < most) return owner;
    return undefined;
  }

  #run(owner: string): void {
    const jobs = this.#waiting.get(owner) ?? [];
    const job = jobs.shift();
    // Behind the others, if it has more.
    this.#waiting.delete(owner);
    if (jobs.length > 0) this.#waiting.set(owner, jobs);
    if (job === undefined) return;
    this.#busy++;
    this.#running.set(owner, (this.#running.get(owner) ?? 0) + 1);
    void job().finally(() => this.#ended(owner));
  }

  #ended(owner: string): void {
    this.#busy--;
    const left = (this.#running.get(owner) ?? 0) - 1;
    if (left > 0) this.#running.set(owner, left);
    else this.#running.delete(owner);
    this.#fill();
    if (this.#busy > 0 || this.#waiting.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

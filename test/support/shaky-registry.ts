import { HeddleError } from '../../src/errors.ts';
import type { Registry, Watching } from '../../src/registry/registry.ts';
import { type Check, type CheckStatus, isDerived, type Service } from '../../src/services/service.ts';

/** A registry in memory whose faults a test decides: it is slow, absent, forgetful, and loses answers on the way. */
export class ShakyRegistry implements Registry {
  readonly name = 'shaky';
  checkedBy: 'agent' | 'heddle' = 'agent';
  /** Every report that arrived, by service id: the statuses of its checks. */
  readonly reports: string[] = [];
  /** Reported statuses, by check id. */
  readonly reported = new Map<string, CheckStatus>();
  readonly services = new Map<string, Service>();
  /** Every write that arrived: `+id` and `-id`. */
  readonly writes: string[] = [];
  /** Absent: nothing arrives. */
  away = false;
  /** Messages for the ids that it rejects. */
  readonly refusals = new Map<string, string>();
  /** Ids that it holds for another owner. */
  readonly foreigners = new Set<string>();
  notServed: readonly string[] = [];
  /** Called before each verb; may throw, or wait. `after` is true when the verb has taken effect. */
  fault: (verb: string, after: boolean) => void | Promise<void> = () => {};
  inFlight = 0;
  mostInFlight = 0;
  /** Ids that had two writes under way at once. */
  readonly overlaps: string[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #writing = new Set<string>();

  async ready(): Promise<void> {
    await this.#call('ready', () => {});
  }

  async list(): Promise<readonly Service[]> {
    return this.#call('list', () => [...this.services.values()]);
  }

  async unsynced(): Promise<readonly string[]> {
    return this.#call('unsynced', () => this.notServed);
  }

  async foreign(ids: readonly string[]): Promise<readonly string[]> {
    return this.#call('foreign', () => ids.filter((id) => this.foreigners.has(id)));
  }

  async register(service: Service): Promise<void> {
    await this.#write(service.id, () => {
      this.writes.push(`+${service.id}`);
      const refusal = this.refusals.get(service.id);
      if (this.foreigners.has(service.id)) throw new HeddleError('taken', `${service.id} is another's`);
      if (refusal !== undefined) throw new HeddleError('refused', refusal);
      this.services.set(service.id, service);
      this.#storeStatuses(service.checks.filter(isDerived));
    });
  }

  async report({ id, checks }: Service): Promise<void> {
    await this.#call('report', () => {
      const reported = checks.filter(isDerived);
      const registered = this.services.get(id)?.checks.map((check) => check.id);
      if (!reported.every((check) => registered?.includes(check.id))) {
        throw new HeddleError('refused', `${id} has no such check`);
      }
      this.#storeStatuses(reported);
      this.reports.push(`${id} ${reported.map(({ status }) => status).join()}`);
    });
  }

  async statuses(): Promise<ReadonlyMap<string, CheckStatus>> {
    return this.#call('statuses', () => this.reported);
  }

  async deregister(id: string): Promise<void> {
    await this.#write(id, () => {
      this.writes.push(`-${id}`);
      this.services.delete(id);
    });
  }

  watch(changed: () => void): Watching {
    this.#watchers.add(changed);
    return { stop: () => void this.#watchers.delete(changed) };
  }

  runs(): boolean {
    return false;
  }

  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Restarted without its data. */
  wipe(): void {
    this.services.clear();
    this.reported.clear();
    for (const changed of this.#watchers) changed();
  }

  #storeStatuses(checks: readonly Check[]): void {
    for (const { id, status = 'critical' } of checks) this.reported.set(id, status);
  }

  async #write(id: string, act: () => void): Promise<void> {
    if (this.#writing.has(id)) this.overlaps.push(id);
    this.#writing.add(id);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      await this.#call('write', act);
    } finally {
      this.inFlight--;
      this.#writing.delete(id);
    }
  }

  async #call<T>(verb: string, act: () => T): Promise<T> {
    await new Promise(setImmediate);
    if (this.away) throw unreachable();
    await this.fault(verb, false);
    const result = act();
    await this.fault(verb, true);
    return result;
  }
}

export const unreachable = () => new HeddleError('unreachable', 'connection refused');

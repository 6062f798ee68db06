import { checkStatus, HEDDLE_CHECK_KINDS } from '../services/health.ts';
import type { CheckKind, CheckStatus, Service } from '../services/service.ts';
import type { Registry, Watching } from './registry.ts';

/** A registry in memory, for hosts without Consul. Nothing is lost with it: all its data come from Docker. */
export class EmbeddedRegistry implements Registry {
  readonly name = 'embedded';
  readonly checkedBy = 'heddle';
  readonly #services = new Map<string, Service>();

  async ready(): Promise<void> {}

  async list(): Promise<readonly Service[]> {
    return [...this.#services.values()];
  }

  async register(service: Service): Promise<void> {
    this.#services.set(service.id, service);
  }

  async report(service: Service): Promise<void> {
    if (this.#services.has(service.id)) this.#services.set(service.id, service);
  }

  async deregister(id: string): Promise<void> {
    this.#services.delete(id);
  }

  async unsynced(): Promise<readonly string[]> {
    return [];
  }

  async statuses(): Promise<ReadonlyMap<string, CheckStatus>> {
    const checks = [...this.#services.values()].flatMap((service) => service.checks);
    return new Map(checks.map((check) => [check.id, checkStatus(check)]));
  }

  /** Nothing but heddle writes here. */
  watch(): Watching {
    return { stop: () => {} };
  }

  /** There is no agent here. */
  runs(kind: CheckKind['kind']): boolean {
    return HEDDLE_CHECK_KINDS.has(kind);
  }
}

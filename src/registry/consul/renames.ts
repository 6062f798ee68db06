import { isReported, type Service } from '../../services/service.ts';
import { readAgentChecks } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';
import { unlessNotFound } from './api/errors.ts';

/**
 * The names under which the agent holds our services. When an id moves to another name, Consul does not wake blocking
 * queries on the old name. They would keep the old instance until something else changes there, so the old entry is
 * removed first. Checks run by the agent keep their status.
 */
export class Renames {
  readonly #client: ConsulClient;
  readonly #names = new Map<string, string>();

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  /** Takes the agent's list of our services; names registered in the meantime take precedence. */
  learn(services: readonly Service[]): void {
    const names = new Map(services.map(({ id, name }) => [id, name]));
    for (const id of this.#names.keys()) if (!names.has(id)) this.#names.delete(id);
    for (const [id, name] of names) if (!this.#names.has(id)) this.#names.set(id, name);
  }

  /** Removes the entry under the old name, and returns the service as it should be registered. */
  async prepare(service: Service, signal: AbortSignal | undefined): Promise<Service> {
    const { id, checks } = service;
    const before = this.#names.get(id);
    if (before === undefined || before === service.name) return service;
    const attempt = `cannot rename ${before} to ${service.name}`;
    const query = { filter: `ServiceID == ${JSON.stringify(id)}` };
    const call = { attempt, path: '/agent/checks', query, signal };
    const held = await this.#client.get(call, readAgentChecks);
    const removal = { attempt, path: '/agent/service/deregister/{id}', params: { id }, signal };
    await this.#client.put(removal).catch(unlessNotFound);
    this.forget(id);
    const withHeldStatus = (check: Service['checks'][number]) => {
      const status = isReported(check) ? undefined : held.get(check.id);
      return status === undefined ? check : { ...check, status };
    };
    return { ...service, checks: checks.map(withHeldStatus) };
  }

  /** True if the agent held a service with this id when it was last read or written. */
  holds(id: string): boolean {
    return this.#names.has(id);
  }

  registered({ id, name }: Service): void {
    this.#names.set(id, name);
  }

  forget(id: string): void {
    this.#names.delete(id);
  }
}

import { isReported, type Service } from '../../services/service.ts';
import { readAgentChecks } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';
import { unlessNotFound } from './api/errors.ts';

/**
 * The names that an agent has our services under. Consul tells nobody who waits on a name that an id has left it for
 * another, and the old instance would be answered for as long as nothing else happens there. So the old entry is
 * removed first; what the agent runs of the checks comes back as it was.
 */
export class Renames {
  readonly #client: ConsulClient;
  readonly #names = new Map<string, string>();

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  /** These are all that the agent had a moment ago; what was registered since is known better. */
  learn(services: readonly Service[]): void {
    const names = new Map(services.map(({ id, name }) => [id, name]));
    for (const id of this.#names.keys()) if (!names.has(id)) this.#names.delete(id);
    for (const [id, name] of names) if (!this.#names.has(id)) this.#names.set(id, name);
  }

  /** Makes way for a service that has another name now, and gives it as it is to be registered. */
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
    const asItWas = (check: Service['checks'][number]) => {
      const status = isReported(check) ? undefined : held.get(check.id);
      return status === undefined ? check : { ...check, status };
    };
    return { ...service, checks: checks.map(asItWas) };
  }

  /** Whether the agent has a service of this id, as far as was seen. */
  holds(id: string): boolean {
    return this.#names.has(id);
  }

  taken({ id, name }: Service): void {
    this.#names.set(id, name);
  }

  forget(id: string): void {
    this.#names.delete(id);
  }
}

import type { ConsulClient } from './consul-client.ts';
import { type HealthJson, instanceOf } from './consul-json.ts';
import type { Elsewhere, Instance } from './registry.ts';

/** What every host has in a Consul, asked of its catalog. */
export class ConsulLookups implements Elsewhere {
  readonly #client: ConsulClient;

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  async instances(service: string, signal?: AbortSignal): Promise<readonly Instance[]> {
    const call = {
      attempt: `cannot look up ${service}`,
      path: '/health/service/{service}',
      params: { service },
      signal,
    };
    return (await this.#client.get<readonly HealthJson[]>(call)).map(instanceOf);
  }

  async node(name: string, signal?: AbortSignal): Promise<string | undefined> {
    const call = {
      attempt: `cannot look up node ${name}`,
      path: '/catalog/node/{node}',
      params: { node: name },
      signal,
    };
    const found = await this.#client.get<{ Node: { Address: string } } | null>(call);
    return found?.Node.Address;
  }
}

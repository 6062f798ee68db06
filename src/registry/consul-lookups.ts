import type { ConsulClient } from './consul-client.ts';
import { type HealthJson, instanceOf } from './consul-json.ts';
import type { Elsewhere, Instance, Moving } from './registry.ts';

/** Consul adds a sixteenth at most; less than the time after which an agent that is gone must be noticed. */
const WAIT_S = 20;

/** What every host has in a Consul, asked of its catalog. */
export class ConsulLookups implements Elsewhere, Moving {
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

  async changes(
    service: string,
    index: number,
    signal: AbortSignal,
  ): Promise<{ readonly instances: readonly Instance[]; readonly index: number }> {
    const found = await this.#client.getIndexed<readonly HealthJson[]>({
      attempt: `cannot watch ${service}`,
      path: '/health/service/{service}',
      params: { service },
      query: { index: `${index}`, wait: `${WAIT_S}s` },
      signal,
      timeout: (WAIT_S + 10) * 1000,
    });
    return { instances: found.value.map(instanceOf), index: found.index };
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

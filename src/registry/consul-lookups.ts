import { HeddleError } from '../errors.ts';
import { ConsulAccess } from './consul-access.ts';
import type { ConsulClient } from './consul-client.ts';
import { type HealthJson, instanceOf, type NodeJson } from './consul-json.ts';
import type { Elsewhere, Instance, Moving, NodeEntry } from './registry.ts';

/**
 * Consul adds a sixteenth at most. It is also how long a Consul that answers no more is taken for one with nothing to
 * say, and how long an index that went back unseen can hold us up.
 */
const WAIT_S = 10;
const GRACE_S = 3;

/**
 * What every host has in a Consul, asked of its catalog. That it has nothing is said only where reading is proven: a
 * token that is too weak is shown nothing, too, and nobody must take that for the truth. @throws HeddleError `refused`
 */
export class ConsulLookups implements Elsewhere, Moving {
  readonly #client: ConsulClient;
  readonly #access: ConsulAccess;
  readonly #wait: number;

  /** `wait`: for how long `changes` waits, in seconds. */
  constructor(client: ConsulClient, { wait = WAIT_S }: { readonly wait?: number } = {}) {
    this.#client = client;
    this.#access = new ConsulAccess(client);
    this.#wait = wait;
  }

  async instances(service: string, signal?: AbortSignal): Promise<readonly Instance[]> {
    const call = {
      attempt: `cannot look up ${service}`,
      path: '/health/service/{service}',
      params: { service },
      signal,
    };
    const found = await this.#client.get<readonly HealthJson[]>(call);
    if (found.length === 0) await this.#access.proveReadingCatalog(signal);
    return found.map(instanceOf);
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
      query: { index: `${index}`, wait: `${this.#wait}s` },
      signal,
      timeout: (this.#wait + GRACE_S) * 1000,
    });
    // Not even an empty catalog is at 0: with it, every question would be answered at once.
    if (found.index < 1)
      throw new HeddleError('failed', `cannot watch ${service}: the answer came without an index to wait on`);
    if (found.value.length === 0) await this.#access.proveReadingCatalog(signal);
    return { instances: found.value.map(instanceOf), index: found.index };
  }

  async node(name: string, signal?: AbortSignal): Promise<NodeEntry | undefined> {
    const call = {
      attempt: `cannot look up node ${name}`,
      path: '/catalog/node/{node}',
      params: { node: name },
      signal,
    };
    const found = await this.#client.get<{ Node: NodeJson } | null>(call);
    if (!found) await this.#access.proveReadingCatalog(signal);
    return found ? { address: found.Node.Address, meta: found.Node.Meta ?? {} } : undefined;
  }
}

import { HeddleError } from '../errors.ts';
import { ConsulAccess } from './consul-access.ts';
import type { Call, ConsulClient } from './consul-client.ts';
import {
  type CheckJson,
  type HealthJson,
  healthByService,
  instanceOf,
  type NodeJson,
} from './consul-json.ts';
import type { Elsewhere, Instance, InstanceHealth, Moved, Moving, NodeEntry } from './registry.ts';

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

  async changes(service: string, index: number, signal: AbortSignal): Promise<Moved<readonly Instance[]>> {
    const attempt = `cannot watch ${service}`;
    const call = { attempt, path: '/health/service/{service}', params: { service }, signal };
    const found = await this.#waitFor<readonly HealthJson[]>(call, index);
    if (found.value.length === 0) await this.#access.proveReadingCatalog(signal);
    return { value: found.value.map(instanceOf), index: found.index };
  }

  async health(
    node: string,
    index: number,
    signal: AbortSignal,
  ): Promise<Moved<ReadonlyMap<string, InstanceHealth>>> {
    const attempt = `cannot watch the checks of node ${node}`;
    const call = { attempt, path: '/health/node/{node}', params: { node }, signal };
    const found = await this.#waitFor<readonly CheckJson[]>(call, index);
    // A node with an agent has a check of its own: without it, we were not shown what there is.
    if (found.value.length === 0) throw new HeddleError('refused', `${attempt}: none of them is shown to us`);
    return { value: healthByService(found.value), index: found.index };
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

  async #waitFor<T>(call: Call, index: number): Promise<Moved<T>> {
    const found = await this.#client.getIndexed<T>({
      ...call,
      query: { index: `${index}`, wait: `${this.#wait}s` },
      timeout: (this.#wait + GRACE_S) * 1000,
    });
    // Not even an empty catalog is at 0: with it, every question would be answered at once.
    if (found.index < 1)
      throw new HeddleError('failed', `${call.attempt}: the answer came without an index to wait on`);
    return found;
  }
}

import { HeddleError } from '../../errors.ts';
import type { ChecksAsked, Elsewhere, Instance, Moved, Moving, NodeEntry, NodeHealth } from '../registry.ts';
import { ConsulAccess } from './api/access.ts';
import { type Reader, readInstances, readNode, readNodeHealth } from './api/answers.ts';
import type { Call, ConsulClient } from './api/client.ts';
import { NO_SERVICE } from './change-stamp.ts';

/**
 * Consul adds a sixteenth at most. It is also how long a Consul that answers no more is taken for one with nothing to
 * say, and how long an index that went back unseen can hold us up.
 */
const WAIT_S = 10;
const GRACE_S = 3;
/** Of one name: four thousand instances, and half as much again. */
const MOST_BYTES = 8 << 20;

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
      mostBytes: MOST_BYTES,
    };
    const found = await this.#client.get(call, readInstances);
    if (found.length === 0) await this.#access.proveReadingCatalog(signal);
    return found;
  }

  async changes(service: string, index: number, signal: AbortSignal): Promise<Moved<readonly Instance[]>> {
    const attempt = `cannot watch ${service}`;
    const path = '/health/service/{service}';
    const call = { attempt, path, params: { service }, signal, mostBytes: MOST_BYTES };
    const found = await this.#waitFor(call, index, readInstances);
    if (found.value.length === 0) await this.#access.proveReadingCatalog(signal);
    return found;
  }

  async health({ node, only }: ChecksAsked, index: number, signal: AbortSignal): Promise<Moved<NodeHealth>> {
    const attempt = `cannot watch the checks of node ${node}`;
    const query = only === 'unwell' ? { filter: 'Status != "passing"' } : {};
    const call = { attempt, path: '/health/node/{node}', params: { node }, query, signal };
    const { value, index: now } = await this.#waitFor(call, index, readNodeHealth);
    // A node with an agent has a check of its own: without it, we were not shown what there is.
    if (value.isEmpty && only === 'all') {
      throw new HeddleError('refused', `${attempt}: none of them is shown to us`);
    }
    return { value, index: now };
  }

  async node(name: string, signal?: AbortSignal): Promise<NodeEntry | undefined> {
    const call = {
      attempt: `cannot look up node ${name}`,
      path: '/catalog/node/{node}',
      params: { node: name },
      // What stands on it may be thousands of services, and is not asked for.
      query: { filter: NO_SERVICE },
      mostBytes: MOST_BYTES,
      signal,
    };
    const found = await this.#client.get(call, readNode);
    if (!found) await this.#access.proveReadingCatalog(signal);
    return found ? { address: found.address, meta: found.meta } : undefined;
  }

  async #waitFor<T>(call: Call, index: number, read: Reader<T>): Promise<Moved<T>> {
    const query = { ...call.query, index: `${index}`, wait: `${this.#wait}s` };
    const timeout = (this.#wait + GRACE_S) * 1000;
    const found = await this.#client.getIndexed({ ...call, query, timeout }, read);
    // Not even an empty catalog is at 0: with it, every question would be answered at once.
    if (found.index < 1)
      throw new HeddleError('failed', `${call.attempt}: the answer came without an index to wait on`);
    return found;
  }
}

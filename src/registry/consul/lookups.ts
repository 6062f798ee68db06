import { HeddleError } from '../../errors.ts';
import type {
  BlockingQueries,
  HealthQuery,
  Indexed,
  Instance,
  NodeEntry,
  NodeHealth,
  RemoteLookups,
} from '../registry.ts';
import { ConsulAccess } from './api/access.ts';
import { type Reader, readInstances, readNode, readNodeHealth } from './api/answers.ts';
import type { Call, ConsulClient } from './api/client.ts';
import { NO_SERVICE } from './change-stamp.ts';

/**
 * Consul adds at most a sixteenth to the wait of a blocking query. For this long a dead Consul looks like one without
 * changes, and an index that went back unnoticed can block us.
 */
const WAIT_S = 10;
const GRACE_S = 3;
/** The longest answer about one name: four thousand instances, plus half as much again. */
const MOST_BYTES = 8 << 20;

/**
 * Lookups of every host's services in Consul's catalog. An empty result is returned only if the token demonstrably may
 * read: a token that is too weak also gets an empty list. @throws HeddleError `refused`
 */
export class ConsulLookups implements RemoteLookups, BlockingQueries {
  readonly #client: ConsulClient;
  readonly #access: ConsulAccess;
  readonly #wait: number;

  /** @param options `wait`: how long a blocking query waits, in seconds */
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

  async changes(service: string, index: number, signal: AbortSignal): Promise<Indexed<readonly Instance[]>> {
    const attempt = `cannot watch ${service}`;
    const path = '/health/service/{service}';
    const call = { attempt, path, params: { service }, signal, mostBytes: MOST_BYTES };
    const found = await this.#waitFor(call, index, readInstances);
    if (found.value.length === 0) await this.#access.proveReadingCatalog(signal);
    return found;
  }

  async health(
    { node, only }: HealthQuery,
    index: number,
    signal: AbortSignal,
  ): Promise<Indexed<NodeHealth>> {
    const attempt = `cannot watch the checks of node ${node}`;
    const query = only === 'unwell' ? { filter: 'Status != "passing"' } : {};
    const call = { attempt, path: '/health/node/{node}', params: { node }, query, signal };
    const { value, index: now } = await this.#waitFor(call, index, readNodeHealth);
    // A node with an agent always has a check of its own; without it, the token hides the checks.
    if (value.isEmpty && only === 'all') {
      throw new HeddleError('refused', `${attempt}: Consul shows none of them; the token may not read them`);
    }
    return { value, index: now };
  }

  async node(name: string, signal?: AbortSignal): Promise<NodeEntry | undefined> {
    const call = {
      attempt: `cannot look up node ${name}`,
      path: '/catalog/node/{node}',
      params: { node: name },
      // The node may have thousands of services, which are not needed.
      query: { filter: NO_SERVICE },
      mostBytes: MOST_BYTES,
      signal,
    };
    const found = await this.#client.get(call, readNode);
    if (!found) await this.#access.proveReadingCatalog(signal);
    return found ? { address: found.address, meta: found.meta } : undefined;
  }

  async #waitFor<T>(call: Call, index: number, read: Reader<T>): Promise<Indexed<T>> {
    const query = { ...call.query, index: `${index}`, wait: `${this.#wait}s` };
    const timeout = (this.#wait + GRACE_S) * 1000;
    const found = await this.#client.getIndexed({ ...call, query, timeout }, read);
    // Even an empty catalog has an index above 0. With 0, every query would be answered at once.
    if (found.index < 1) throw new HeddleError('failed', `${call.attempt}: the answer has no X-Consul-Index`);
    return found;
  }
}

import { checkStatus, HEDDLE_CHECK_KINDS } from '../../services/health.ts';
import { isOurs, OWNER } from '../../services/naming/identity.ts';
import {
  type Check,
  type CheckKind,
  type CheckStatus,
  OWNER_META,
  type Service,
} from '../../services/service.ts';
import type { Registry, Watching } from '../registry.ts';
import type { AgentIdentity } from './agent-identity.ts';
import { ConsulAccess } from './api/access.ts';
import { readNode, readStatuses } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';
import { unlessRefused } from './api/errors.ts';
import { catalogEntryOf } from './api/json.ts';
import { type Operation, Transactions } from './api/transactions.ts';
import { watchDigest } from './digest-watch.ts';
import { withOverriddenTags } from './tag-override.ts';

export interface CatalogOptions {
  readonly hostId: string;
  /** The node's address, which is this host's. */
  readonly address: () => string;
  /** The agent that answers; read again with every list. */
  readonly identity?: AgentIdentity;
  /** Time between two polls of our services in the catalog, in ms; default 2,000. */
  readonly watchEvery?: number;
}

const WATCH_MS = 2000;

/** The name of a host's node in the catalog. No agent owns that node, so no agent removes it. */
export const nodeNameOf = (hostId: string): string => `heddle-${hostId}`;

/** The metadata of that node. */
export const nodeMetaOf = (hostId: string): Readonly<Record<string, string>> => ({
  [OWNER_META.owner]: OWNER,
  [OWNER_META.host]: hostId,
});

/**
 * A registry in Consul's catalog, for hosts without an agent. Services are on a node of heddle's own, written in
 * transactions through any agent or server. Consul runs no checks there; heddle runs them.
 */
export class CatalogRegistry implements Registry {
  readonly checkedBy = 'heddle';
  readonly #client: ConsulClient;
  readonly #options: CatalogOptions;
  readonly #access: ConsulAccess;
  readonly #transactions: Transactions;
  readonly #node: string;
  #writes = 0;

  constructor(client: ConsulClient, options: CatalogOptions) {
    this.#client = client;
    this.#options = options;
    this.#access = new ConsulAccess(client);
    this.#node = nodeNameOf(options.hostId);
    this.#transactions = new Transactions(client, () => [this.#nodeOperation()]);
  }

  get name(): string {
    return `${this.#client.name} (catalog)`;
  }

  ready(signal?: AbortSignal): Promise<void> {
    return this.#access.ready(signal);
  }

  async list(signal?: AbortSignal): Promise<readonly Service[]> {
    const call = this.#read('cannot list services', '/catalog/node/{node}', signal);
    await this.#options.identity?.read(signal).catch(unlessRefused);
    const held = await this.#client.get(call, readNode);
    const services = (held?.services ?? []).filter(({ meta }) => isOurs(meta, this.#options.hostId));
    if (services.length === 0) await this.#access.proveReadingCatalog(signal);
    return services;
  }

  /** One transaction removes the old entry with its checks and adds the new one, so that no reader sees a gap. */
  async register(service: Service, signal?: AbortSignal): Promise<void> {
    const tagged =
      service.enableTagOverride === true
        ? await withOverriddenTags(service, { client: this.#client, node: this.#node, signal })
        : service;
    // Without its hash the entry differs from desired state until the second write has succeeded too.
    const first = tagged.addresses ? withoutHash(tagged) : tagged;
    const operations = [
      this.#removal(service.id),
      { Service: { Verb: 'set', Node: this.#node, Service: catalogEntryOf(first) } },
      ...this.#checkOperations(service),
    ];
    await this.#transactions.run(`cannot register ${service.name}`, operations);
    this.#writes++;
    if (tagged.addresses) await this.#tagAddresses(tagged);
  }

  async report(service: Service): Promise<void> {
    const operations = this.#checkOperations(service);
    await this.#transactions.run(`cannot report the health of ${service.name}`, operations);
  }

  async deregister(id: string): Promise<void> {
    await this.#transactions.run(`cannot deregister ${id}`, [this.#removal(id)]);
    this.#writes++;
  }

  /** Always empty: `list` reads the catalog itself. Still proves that the token may read the other nodes. */
  async unsynced(_held: readonly Service[], signal?: AbortSignal): Promise<readonly string[]> {
    await this.#access.proveReadingCatalog(signal);
    return [];
  }

  async statuses(signal?: AbortSignal): Promise<ReadonlyMap<string, CheckStatus>> {
    const call = this.#read('cannot read the health of services', '/health/node/{node}', signal);
    return await this.#client.get(call, readStatuses);
  }

  watch(changed: () => void): Watching {
    const needs = {
      writes: () => this.#writes,
      digest: async (signal: AbortSignal) => {
        await this.ready(signal);
        const paths = ['/catalog/node/{node}', '/health/node/{node}'];
        const digest = (path: string) =>
          this.#client.digest(this.#read('cannot watch services', path, signal));
        return (await Promise.all(paths.map(digest))).join();
      },
    };
    return watchDigest(needs, this.#options.watchEvery ?? WATCH_MS, changed);
  }

  runs(kind: CheckKind['kind']): boolean {
    return HEDDLE_CHECK_KINDS.has(kind);
  }

  /** Consul's transactions dropped these addresses until 2025; this request does not change the checks. */
  async #tagAddresses(service: Service): Promise<void> {
    await this.#client.put({
      attempt: `cannot register both addresses of ${service.name}`,
      path: '/catalog/register',
      body: {
        Datacenter: this.#client.datacenter,
        Node: this.#node,
        Address: this.#options.address(),
        SkipNodeUpdate: true,
        Service: catalogEntryOf(service),
      },
    });
  }

  #read(attempt: string, path: string, signal: AbortSignal | undefined) {
    return { attempt, path, params: { node: this.#node }, signal };
  }

  /** Consul uses only the id, but rejects an operation without a name. */
  #removal(id: string): Operation {
    return { Service: { Verb: 'delete', Node: this.#node, Service: { ID: id, Service: OWNER } } };
  }

  #nodeOperation(): Operation {
    const Meta = nodeMetaOf(this.#options.hostId);
    const Node = { Node: this.#node, Address: this.#options.address(), Meta };
    return { Node: { Verb: 'set', Node } };
  }

  #checkOperations(service: Service): readonly Operation[] {
    const toCheck = (check: Check) => ({
      Node: this.#node,
      CheckID: check.id,
      Name: check.name,
      Status: checkStatus(check),
      ServiceID: service.id,
    });
    return service.checks.map((check) => ({ Check: { Verb: 'set', Check: toCheck(check) } }));
  }
}

function withoutHash(service: Service): Service {
  const { [OWNER_META.hash]: _, ...meta } = service.meta;
  return { ...service, meta };
}

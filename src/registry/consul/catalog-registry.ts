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
  /** The node's address: this host's. */
  readonly address: () => string;
  /** The agent that answers; it is read anew with every list. */
  readonly identity?: AgentIdentity;
  /** Time between two looks at what the catalog holds of ours, in ms; default 2,000. */
  readonly watchEvery?: number;
}

const WATCH_MS = 2000;

/** The node that stands for a host in the catalog; no agent has it, and so none takes it away. */
export const nodeNameOf = (hostId: string): string => `heddle-${hostId}`;

/** What is said of it. */
export const nodeMetaOf = (hostId: string): Readonly<Record<string, string>> => ({
  [OWNER_META.owner]: OWNER,
  [OWNER_META.host]: hostId,
});

/**
 * The verbs on Consul's catalog, for hosts without an agent: services live on a node of heddle's own, written in
 * transactions through whichever agent or server answers. Nobody runs checks there; heddle does.
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

  /** The old entry goes in the same transaction, with the checks that the service no longer has; nobody sees a gap. */
  async register(service: Service, signal?: AbortSignal): Promise<void> {
    const tagged =
      service.enableTagOverride === true
        ? await withOverriddenTags(service, { client: this.#client, node: this.#node, signal })
        : service;
    // Without its hash it is not what is wanted, until the second write has been taken as well.
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

  /** What was listed came from the catalog; its other nodes may be hidden all the same. */
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

  /** Consul's transactions left these addresses out until 2025; this request leaves the checks as they are. */
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

  /** Consul goes by the id alone, and refuses an operation without a name all the same. */
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

import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { defaultRouteAddress } from '../addresses/default-route.ts';
import { HeddleError, messageOf } from '../errors.ts';
import type { Logger } from '../runtime/log.ts';
import { ConsulRegistry } from './consul/agent-registry.ts';
import { ConsulClient } from './consul/api/client.ts';
import { CATALOG_TOKEN_POLICY } from './consul/api/errors.ts';
import type { AgentSelf } from './consul/api/self.ts';
import { readTls } from './consul/api/tls.ts';
import { readToken } from './consul/api/token.ts';
import { CatalogRegistry, nodeMetaOf, nodeNameOf } from './consul/catalog-registry.ts';
import { type FormerOwner, type Leftover, removeLeftovers } from './consul/leftovers.ts';
import { ConsulLookups } from './consul/lookups.ts';
import { removeRegistratorLeftovers } from './consul/registrator-leftovers.ts';
import { EmbeddedRegistry } from './embedded.ts';
import type { BlockingQueries, Registry, RemoteLookups } from './registry.ts';
import type { ConsulUri, RegistryUri } from './uri.ts';

/** The settings that the registry reads. */
export interface RegistrySettings {
  readonly registry: RegistryUri;
  readonly consulMode: 'agent' | 'catalog';
  readonly consulToken?: string | undefined;
  readonly consulTokenFile?: string | undefined;
  /** `user:password` */
  readonly consulAuth?: string | undefined;
  /** Use TLS even if the address says http. */
  readonly consulTls: boolean;
  readonly consulCa?: string | undefined;
  readonly consulCaPath?: string | undefined;
  readonly consulCert?: string | undefined;
  readonly consulKey?: string | undefined;
  readonly consulServerName?: string | undefined;
  readonly consulVerify: boolean;
  readonly consulDatacenter?: string | undefined;
  readonly consulNamespace?: string | undefined;
  readonly consulPartition?: string | undefined;
  /** The address at which other hosts reach this host. */
  readonly ip?: string | undefined;
}

/** The node that this host's services are registered on. */
export interface Node {
  readonly name: string;
  /** Undefined until it is known. */
  readonly address: string | undefined;
  readonly datacenter: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** A registry, the lookups of other hosts' services in it, and this host's node there. */
export interface OpenRegistry {
  readonly registry: Registry;
  readonly lookups: RemoteLookups | undefined;
  /** Blocking queries, over connections of their own. */
  readonly blockingQueries: BlockingQueries | undefined;
  /** How many concurrent writes the registry benefits from. */
  readonly concurrency: number;
  /** The node as known now; a guess while the registry is unreachable. */
  node(): Node;
  /** The address that this host's agent advertises; undefined without such an agent, or until it is known. */
  advertised(): string | undefined;
  /**
   * Reads the node from the agent, in the background while the registry is unreachable. Calls back when the node
   * becomes known and when it changes.
   */
  start(learnt: () => void): Promise<void>;
  stop(): Promise<void>;
}

const RETRY_MS = 3_000;
const GUESS: Node = { name: hostname(), address: undefined, datacenter: 'dc1', meta: {} };
/** More writes than these make an agent no faster; 128 fill two transactions of the catalog. */
const AGENT_WRITES = 8;
const CATALOG_WRITES = 128;

/**
 * Opens the registry named by the settings; sends no request before `start`.
 * @throws HeddleError `bad-input` for contradictory settings and for TLS files that cannot be read
 */
export function openRegistry(
  settings: RegistrySettings,
  needs: { readonly hostId: string; readonly log: Logger },
): OpenRegistry {
  const { registry: uri } = settings;
  if (settings.consulDatacenter !== undefined && settings.consulMode === 'agent') {
    const message = 'an agent registers only in its own datacenter';
    throw new HeddleError('bad-input', `--consul-datacenter: ${message}; use --consul-mode catalog`);
  }
  if (uri.kind === 'consul') {
    const clients = [consulClient(uri, settings), consulClient(uri, settings)] as const;
    return new OpenConsul(clients, settings, needs);
  }
  return {
    registry: new EmbeddedRegistry(),
    lookups: undefined,
    blockingQueries: undefined,
    concurrency: AGENT_WRITES,
    node: () => GUESS,
    advertised: () => undefined,
    start: async () => {},
    stop: async () => {},
  };
}

/** Creates a client for the Consul named by the settings. @throws HeddleError `bad-input` */
export function consulClient(uri: ConsulUri, settings: RegistrySettings): ConsulClient {
  const { consulCa: ca, consulCaPath: caPath, consulCert: cert, consulKey: key } = settings;
  const { consulDatacenter: dc, consulNamespace: ns, consulPartition: partition } = settings;
  const { consulServerName: serverName, consulVerify: verify, consulAuth: auth } = settings;
  const token = readToken(settings.consulToken, settings.consulTokenFile);
  // Like Consul's own client: requested TLS is used even if the address says http.
  const reached = 'port' in uri && settings.consulTls ? { ...uri, tls: true } : uri;
  const tls = 'tls' in reached && reached.tls;
  return new ConsulClient(reached, {
    ...(token !== undefined && { token }),
    ...(auth !== undefined && { auth }),
    ...(settings.consulMode === 'catalog' && { tokenPolicy: CATALOG_TOKEN_POLICY }),
    ...(tls && { tls: readTls({ ca, caPath, cert, key, serverName, verify }) }),
    query: {
      ...(dc !== undefined && { dc }),
      ...(ns !== undefined && { ns }),
      ...(partition !== undefined && { partition }),
    },
  });
}

/**
 * Removes the services that a former owner left in the registry.
 * @throws HeddleError `not-supported` for the embedded registry, which has no other owners
 */
export async function collectLeftovers(
  settings: RegistrySettings,
  gone: FormerOwner,
  options: { readonly dryRun: boolean },
): Promise<readonly Leftover[]> {
  const { registry: uri } = settings;
  if (uri.kind === 'embedded') {
    throw new HeddleError('not-supported', 'the embedded registry holds no services of other owners');
  }
  const client = consulClient(uri, settings);
  try {
    if ('registrator' in gone) return await removeRegistratorLeftovers(client, gone.registrator, options);
    return await removeLeftovers(client, gone.hostId, options);
  } finally {
    client.close();
  }
}

class OpenConsul implements OpenRegistry {
  readonly registry: Registry;
  readonly lookups: RemoteLookups;
  readonly blockingQueries: BlockingQueries;
  readonly concurrency: number;
  readonly #agent: ConsulRegistry;
  readonly #clients: readonly ConsulClient[];
  readonly #settings: RegistrySettings;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #node: Node;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    [client, waiting]: readonly [ConsulClient, ConsulClient],
    settings: RegistrySettings,
    { hostId, log }: { readonly hostId: string; readonly log: Logger },
  ) {
    this.#clients = [client, waiting];
    this.#settings = settings;
    this.#log = log;
    const catalog = settings.consulMode === 'catalog';
    const own = { name: nodeNameOf(hostId), address: settings.ip, meta: nodeMetaOf(hostId) };
    this.#node = catalog ? { ...GUESS, ...own } : GUESS;
    this.#agent = new ConsulRegistry(client, { hostId });
    const address = () => this.#node.address ?? '127.0.0.1';
    const { identity } = this.#agent;
    this.registry = catalog ? new CatalogRegistry(client, { hostId, address, identity }) : this.#agent;
    this.lookups = new ConsulLookups(client);
    this.blockingQueries = new ConsulLookups(waiting);
    this.concurrency = catalog ? CATALOG_WRITES : AGENT_WRITES;
  }

  node(): Node {
    return this.#node;
  }

  advertised(): string | undefined {
    return this.#settings.consulMode === 'catalog' ? undefined : this.#agent.identity.last?.address;
  }

  async start(learnt: () => void): Promise<void> {
    // In catalog mode the node is this host, wherever the agent runs that takes the writes.
    if (this.#settings.consulMode === 'catalog') {
      this.#node = { ...this.#node, address: this.#node.address ?? (await defaultRouteAddress()) };
    }
    this.#agent.identity.onChange((now, before) => {
      if (this.#learn(now, before)) learnt();
    });
    await this.#readAgent();
  }

  /** Retries until the agent is known; from then on every pass and every poll of the digest reads it again. */
  async #readAgent(): Promise<void> {
    const { identity } = this.#agent;
    try {
      if (identity.last === undefined) await identity.read(this.#stopping.signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#log.debug({ error: messageOf(error) }, 'cannot read the node from the agent yet; trying again');
      this.#timer = setTimeout(() => void this.#readAgent(), RETRY_MS);
    }
  }

  /**
   * Updates the node. Returns true if anything that depends on the agent may have changed; an agent that only lost its
   * data counts as the same agent.
   */
  #learn(now: AgentSelf, before: AgentSelf | undefined): boolean {
    const { consulMode, consulDatacenter } = this.#settings;
    const { node: name, address, datacenter, meta, version } = now;
    this.#node =
      consulMode === 'catalog'
        ? { ...this.#node, datacenter: consulDatacenter ?? datacenter }
        : { name, address, datacenter, meta };
    if (before === undefined) return true;
    const is = { node: name, address, datacenter, version };
    const was = {
      ...{ node: before.node, address: before.address },
      ...{ datacenter: before.datacenter, version: before.version },
    };
    if (isDeepStrictEqual(is, was)) return false;
    this.#log.info({ ...is, was }, 'the Consul agent changed its name, address, datacenter or version');
    return true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    for (const client of this.#clients) client.close();
  }
}

import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { defaultRouteAddress } from '../addresses/host-address.ts';
import { HeddleError, messageOf } from '../errors.ts';
import type { Logger } from '../runtime/log.ts';
import { ConsulRegistry } from './consul/agent-registry.ts';
import { ConsulClient } from './consul/api/client.ts';
import { CATALOG_TOKEN_POLICY } from './consul/api/errors.ts';
import type { AgentSelf } from './consul/api/self.ts';
import { readTls } from './consul/api/tls.ts';
import { readToken } from './consul/api/token.ts';
import { CatalogRegistry, nodeMetaOf, nodeNameOf } from './consul/catalog-registry.ts';
import { type Gone, type Leftover, removeLeftovers } from './consul/leftovers.ts';
import { ConsulLookups } from './consul/lookups.ts';
import { removeRegistrators } from './consul/registrator-leftovers.ts';
import { EmbeddedRegistry } from './embedded.ts';
import type { Elsewhere, Moving, Registry } from './registry.ts';
import type { ConsulUri, RegistryUri } from './uri.ts';

/** The settings that the registry reads. */
export interface RegistrySettings {
  readonly registry: RegistryUri;
  readonly consulMode: 'agent' | 'catalog';
  readonly consulToken?: string | undefined;
  readonly consulTokenFile?: string | undefined;
  /** `user:password` */
  readonly consulAuth?: string | undefined;
  /** TLS, also where the address says http. */
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
  /** The address that other hosts reach this one at. */
  readonly ip?: string | undefined;
}

/** The node that services of this host are said to be on. */
export interface Node {
  readonly name: string;
  /** Undefined while nobody has told it. */
  readonly address: string | undefined;
  readonly datacenter: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** A registry, what other hosts have in it, and this host's own node there. */
export interface OpenRegistry {
  readonly registry: Registry;
  readonly elsewhere: Elsewhere | undefined;
  /** How to wait for changes, over connections of its own. */
  readonly moving: Moving | undefined;
  /** Writes at once that it makes use of. */
  readonly concurrency: number;
  /** As far as it is known now; a guess while the registry is away. */
  node(): Node;
  /** The address that this host's own agent advertises; undefined where there is no such agent, or it is unknown. */
  advertised(): string | undefined;
  /** Learns the node, in the background while the registry is away; calls back when it is known, or another. */
  start(learnt: () => void): Promise<void>;
  stop(): Promise<void>;
}

const RETRY_MS = 3_000;
const GUESS: Node = { name: hostname(), address: undefined, datacenter: 'dc1', meta: {} };
/** All that an agent makes use of; and what fills two transactions of the catalog. */
const AGENT_WRITES = 8;
const CATALOG_WRITES = 128;

/**
 * The registry that the settings name; nothing is asked of it before `start`.
 * @throws HeddleError `bad-input` for settings that do not go together, and TLS files that cannot be read
 */
export function openRegistry(
  settings: RegistrySettings,
  needs: { readonly hostId: string; readonly log: Logger },
): OpenRegistry {
  const { registry: uri } = settings;
  if (settings.consulDatacenter !== undefined && settings.consulMode === 'agent') {
    const message = 'an agent registers in its own datacenter';
    throw new HeddleError('bad-input', `--consul-datacenter: ${message}; use --consul-mode catalog`);
  }
  if (uri.kind === 'consul') {
    const clients = [consulClient(uri, settings), consulClient(uri, settings)] as const;
    return new OpenConsul(clients, settings, needs);
  }
  return {
    registry: new EmbeddedRegistry(),
    elsewhere: undefined,
    moving: undefined,
    concurrency: AGENT_WRITES,
    node: () => GUESS,
    advertised: () => undefined,
    start: async () => {},
    stop: async () => {},
  };
}

/** A client for the Consul that the settings name. @throws HeddleError `bad-input` */
export function consulClient(uri: ConsulUri, settings: RegistrySettings): ConsulClient {
  const { consulCa: ca, consulCaPath: caPath, consulCert: cert, consulKey: key } = settings;
  const { consulDatacenter: dc, consulNamespace: ns, consulPartition: partition } = settings;
  const { consulServerName: serverName, consulVerify: verify, consulAuth: auth } = settings;
  const token = readToken(settings.consulToken, settings.consulTokenFile);
  // As with Consul's own client: TLS that was asked for is not given up for an address that says http.
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
 * Removes what somebody who is gone has left in the registry of the settings.
 * @throws HeddleError `not-supported` for the embedded one, which nobody else has part in
 */
export async function collectLeftovers(
  settings: RegistrySettings,
  gone: Gone,
  options: { readonly dryRun: boolean },
): Promise<readonly Leftover[]> {
  const { registry: uri } = settings;
  if (uri.kind === 'embedded') {
    throw new HeddleError('not-supported', 'the embedded registry holds nothing of others');
  }
  const client = consulClient(uri, settings);
  try {
    if ('registrator' in gone) return await removeRegistrators(client, gone.registrator, options);
    return await removeLeftovers(client, gone.hostId, options);
  } finally {
    client.close();
  }
}

class OpenConsul implements OpenRegistry {
  readonly registry: Registry;
  readonly elsewhere: Elsewhere;
  readonly moving: Moving;
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
    this.elsewhere = new ConsulLookups(client);
    this.moving = new ConsulLookups(waiting);
    this.concurrency = catalog ? CATALOG_WRITES : AGENT_WRITES;
  }

  node(): Node {
    return this.#node;
  }

  advertised(): string | undefined {
    return this.#settings.consulMode === 'catalog' ? undefined : this.#agent.identity.last?.address;
  }

  async start(learnt: () => void): Promise<void> {
    // The node of the catalog is this host, wherever the agent is that we write through.
    if (this.#settings.consulMode === 'catalog') {
      this.#node = { ...this.#node, address: this.#node.address ?? (await defaultRouteAddress()) };
    }
    this.#agent.identity.onChange((now, before) => {
      if (this.#learn(now, before)) learnt();
    });
    await this.#ask();
  }

  /** Until the agent is known: from then on every pass and every look at it reads it anew. */
  async #ask(): Promise<void> {
    const { identity } = this.#agent;
    try {
      if (identity.last === undefined) await identity.read(this.#stopping.signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#log.debug({ error: messageOf(error) }, 'the node is not known yet');
      this.#timer = setTimeout(() => void this.#ask(), RETRY_MS);
    }
  }

  /** Returns whether what depends on the agent is to be looked at anew; an agent that lost its data is the same to us. */
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
    this.#log.info({ ...is, was }, 'the Consul agent is another than before');
    return true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    for (const client of this.#clients) client.close();
  }
}

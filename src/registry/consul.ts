import { HeddleError } from '../errors.ts';
import { heddlesChecks, statusOf } from '../services/health.ts';
import { ID_PREFIX, isOurs, OWNER } from '../services/identity.ts';
import {
  type Check,
  type CheckKind,
  type CheckStatus,
  isReported,
  OWNER_META,
  type Service,
} from '../services/service.ts';
import { ConsulAccess } from './consul-access.ts';
import type { Call, ConsulClient } from './consul-client.ts';
import { fromJson, registrationOf, type ServiceJson } from './consul-json.ts';
import { stampOf } from './consul-stamp.ts';
import { watchDigest } from './consul-watch.ts';
import { withHeldTags } from './held-tags.ts';
import { whyAgentIsRefused } from './lost-agent.ts';
import { type AgentSays, Reaped } from './reaped.ts';
import type { Registry, Watching } from './registry.ts';
import { Renames } from './renames.ts';

export interface ConsulOptions {
  readonly hostId: string;
  /** Time between two looks at what the agent holds of ours, in ms; default 2,000. */
  readonly watchEvery?: number;
}

/** What the agent says of itself. */
export interface AgentSelf {
  readonly node: string;
  readonly address: string;
  readonly datacenter: string;
  readonly meta: Readonly<Record<string, string>>;
  /** `1.8.7` */
  readonly version: string;
}

interface SelfJson {
  readonly Config: { readonly NodeName: string; readonly Datacenter: string; readonly Version: string };
  readonly Member: { readonly Addr: string };
  readonly Meta?: Readonly<Record<string, string>> | null;
}

const WATCH_MS = 2000;

/** The Consul 1.x that first knew a kind of check; older ones refuse a service for a field that they do not know. */
const SINCE_MINOR = {
  http: 0,
  tcp: 0,
  grpc: 0,
  script: 0,
  docker: 0,
  h2ping: 10,
  udp: 13,
  ttl: 0,
  healthcheck: 0,
} as const satisfies Record<CheckKind['kind'], number>;

/** The first patch of each minor version of Consul 1.x that takes DisableRedirects; every later minor version does. */
const DISABLES_REDIRECTS: Readonly<Record<number, number>> = { 9: 17, 10: 10, 11: 5 };

export function canDisableRedirects(version: string): boolean {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return false;
  if (Number(major) !== 1) return Number(major) > 1;
  if (Number(minor) >= 12) return true;
  return Number(patch) >= (DISABLES_REDIRECTS[Number(minor)] ?? Number.POSITIVE_INFINITY);
}

/** The verbs on a Consul agent. Reading and removing go by the marks of ownership in Meta, never by name. */
export class ConsulRegistry implements Registry {
  readonly checkedBy = 'agent';
  readonly #client: ConsulClient;
  readonly #options: ConsulOptions;
  readonly #access: ConsulAccess;
  readonly #reaped = new Reaped();
  readonly #renames: Renames;
  #self: AgentSelf | undefined;
  /** The last digest, and the stamp from just before it. */
  #digested: { readonly stamp: string | undefined; readonly digest: string } | undefined;
  /** How many writes Consul took from us. */
  #writes = 0;
  /** True once a service was registered whose health heddle tells. */
  #tells = false;

  constructor(client: ConsulClient, options: ConsulOptions) {
    this.#client = client;
    this.#options = options;
    this.#access = new ConsulAccess(client);
    this.#renames = new Renames(client);
  }

  get name(): string {
    return this.#client.name;
  }

  ready(signal?: AbortSignal): Promise<void> {
    return this.#access.ready(signal);
  }

  async list(signal?: AbortSignal): Promise<readonly Service[]> {
    const held = await this.#client.get<Record<string, ServiceJson>>(
      this.#own('cannot list services', signal),
    );
    const services = Object.values(held).map(fromJson);
    if (services.length === 0) await this.#access.proveReading(signal);
    this.#renames.learn(services);
    return services;
  }

  /** @throws HeddleError `taken` for a SERVICE_ID that the agent holds for somebody else */
  async register(service: Service, signal?: AbortSignal): Promise<void> {
    if (await this.#isForeign(service.id, signal)) {
      const message = `cannot register ${service.name}: ${this.name} has another's service of id ${service.id}`;
      throw new HeddleError('taken', `${message}; remove that, or give the container another SERVICE_ID`);
    }
    const says = Reaped.concerns(service) ? await this.#says(service.id, signal) : undefined;
    const tagged = await this.#withHeldTags(service, signal);
    const renamed = await this.#renames.prepare(tagged, signal);
    await this.#client.put({
      attempt: `cannot register ${service.name}`,
      path: '/agent/service/register',
      // Else a check that the service no longer has would stay, critical for ever.
      query: { 'replace-existing-checks': 'true' },
      body: registrationOf(says === undefined ? renamed : this.#reaped.returning(renamed, says)),
      signal,
    });
    this.#writes++;
    this.#renames.taken(service);
    if (says !== undefined) this.#reaped.taken(service, says);
    if (service.checks.some(isReported)) this.#tells = true;
  }

  async report(service: Service, signal?: AbortSignal): Promise<void> {
    for (const check of heddlesChecks(service, 'agent')) {
      const status = statusOf(check);
      await this.#client.put({
        attempt: `cannot report the health of ${service.name}`,
        path: '/agent/check/update/{id}',
        params: { id: check.id },
        body: { Status: status, Output: outputOf(check) },
        signal,
      });
    }
  }

  /** Ids of checks are always of our own form, whatever the service's SERVICE_ID. */
  async statuses(signal?: AbortSignal): Promise<ReadonlyMap<string, CheckStatus>> {
    const call = this.#told('cannot read the health of services', signal);
    const held = await this.#client.get<Record<string, { Status: CheckStatus }>>(call);
    return new Map(Object.entries(held).map(([id, { Status }]) => [id, Status]));
  }

  async deregister(id: string, signal?: AbortSignal): Promise<void> {
    if (await this.#isForeign(id, signal)) return;
    const call = {
      attempt: `cannot deregister ${id}`,
      path: '/agent/service/deregister/{id}',
      params: { id },
      signal,
    };
    // Newer versions answer 404 where 1.8 says 200.
    await this.#client.put(call).catch(unlessNotFound);
    this.#reaped.forget(id);
    this.#renames.forget(id);
    this.#writes++;
  }

  /** One that the token may not look at is not said to be. */
  async foreign(ids: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const looks = ids.map((id) => this.#isForeign(id, signal).catch(unlessRefused));
    const found = await Promise.all(looks);
    return ids.filter((_, at) => found[at] === true);
  }

  /** Compared by the hash in Meta: an older content in the catalog is as bad as none. */
  async unsynced(held: readonly Service[], signal?: AbortSignal): Promise<readonly string[]> {
    await this.#access.proveReadingCatalog(signal);
    if (held.length === 0) return [];
    const { node } = await this.self(signal);
    const catalog = await this.#client.get<{ Services?: Record<string, ServiceJson> } | null>({
      ...this.#own('cannot read the catalog', signal),
      path: '/catalog/node/{node}',
      params: { node },
    });
    const served = (id: string) => catalog?.Services?.[id]?.Meta?.[OWNER_META.hash];
    return held.filter(({ id, meta }) => served(id) !== meta[OWNER_META.hash]).map(({ id }) => id);
  }

  whyUnsynced(signal?: AbortSignal): Promise<string | undefined> {
    return whyAgentIsRefused(this.#client, signal);
  }

  /** A change is also that the agent, or its leader, is gone or back. */
  watch(changed: () => void): Watching {
    const needs = { writes: () => this.#writes, digest: (signal: AbortSignal) => this.#digest(signal) };
    return watchDigest(needs, this.#options.watchEvery ?? WATCH_MS, changed);
  }

  /** Kinds of later versions count once the version is known. */
  runs(kind: CheckKind['kind']): boolean {
    const [major = 0, minor = 0] = (this.#self?.version ?? '1.0').split('.').map(Number);
    return major > 1 || minor >= SINCE_MINOR[kind];
  }

  /**
   * An agent that follows redirects would ask whomever a container names, its own API among them. Until its version is
   * known, it may be one that cannot be kept from it.
   */
  heddleRuns(kind: CheckKind['kind']): boolean {
    return kind === 'http' && !canDisableRedirects(this.#self?.version ?? '');
  }

  /** Node, datacenter and version of the agent; read once. */
  async self(signal?: AbortSignal): Promise<AgentSelf> {
    if (this.#self !== undefined) return this.#self;
    const attempt = 'cannot ask the agent for its node';
    const { Config, Member, Meta } = await this.#client.get<SelfJson>({
      attempt,
      path: '/agent/self',
      signal,
    });
    this.#self = {
      node: Config.NodeName,
      address: Member.Addr,
      datacenter: Config.Datacenter,
      meta: Meta ?? {},
      version: Config.Version,
    };
    return this.#self;
  }

  /** All that is held of ours is a long answer; it is asked for only where it may be another than the last. */
  async #digest(signal: AbortSignal): Promise<string> {
    await this.ready(signal);
    const stamp = await stampOf(this.#client, signal).catch(unlessRefused);
    if (stamp === undefined || stamp !== this.#digested?.stamp) {
      this.#digested = { stamp, digest: await this.#digestHeld(signal) };
    }
    return this.#digested.digest;
  }

  async #digestHeld(signal: AbortSignal): Promise<string> {
    const services = await this.#client.digest(this.#own('cannot watch services', signal));
    if (!this.#tells) return services;
    // An agent that was restarted may have all services, and their health of long ago.
    return services + (await this.#client.digest(this.#told('cannot watch checks', signal)));
  }

  #told(attempt: string, signal: AbortSignal | undefined): Call {
    const reportsHttp = this.heddleRuns('http') ? '|https?' : '';
    const filter = `CheckID matches "^${ID_PREFIX}${this.#options.hostId}:.*~(ttl|healthcheck${reportsHttp})$"`;
    return { attempt, path: '/agent/checks', query: { filter }, signal };
  }

  #own(attempt: string, signal: AbortSignal | undefined): Call {
    const marks = { [OWNER_META.owner]: OWNER, [OWNER_META.host]: this.#options.hostId };
    const terms = Object.entries(marks).map(([key, value]) => `Meta["${key}"] == "${value}"`);
    return { attempt, path: '/agent/services', query: { filter: terms.join(' and ') }, signal };
  }

  /** As it is where the token may not ask. */
  async #withHeldTags(service: Service, signal: AbortSignal | undefined): Promise<Service> {
    if (service.enableTagOverride !== true) return service;
    const self = await this.self(signal).catch(unlessRefused);
    if (self === undefined) return service;
    return withHeldTags(service, { client: this.#client, node: self.node, signal });
  }

  /** Ids of our own form are ours by form; a SERVICE_ID may be anybody's, and has to be looked at. */
  async #isForeign(id: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (id.startsWith(`${ID_PREFIX}${this.#options.hostId}:`)) return false;
    const held = await this.#held(id, signal);
    return held !== undefined && !isOurs(held.Meta ?? {}, this.#options.hostId);
  }

  async #held(id: string, signal: AbortSignal | undefined): Promise<ServiceJson | undefined> {
    const call = { attempt: `cannot look at ${id}`, path: '/agent/service/{id}', params: { id }, signal };
    return await this.#client.get<ServiceJson>(call).catch(unlessNotFound);
  }

  /** Undefined where the token may not ask. */
  async #says(id: string, signal: AbortSignal | undefined): Promise<AgentSays | undefined> {
    const call = { attempt: "cannot ask for the agent's id", path: '/agent/self', signal };
    const self = await this.#client.get<{ Config: { NodeID?: string } }>(call).catch(unlessRefused);
    if (self === undefined) return undefined;
    return { nodeId: self.Config.NodeID, holds: (await this.#held(id, signal)) !== undefined };
  }
}

/** The same words for the same status: an agent whose checks say the same has nothing to send to its servers. */
function outputOf(check: Check): string {
  if (check.runBy === 'heddle') return `heddle: the check is ${statusOf(check)}`;
  if (check.kind === 'ttl')
    return `heddle: the container ${statusOf(check) === 'passing' ? 'runs' : 'has ended'}`;
  return `heddle: the container's HEALTHCHECK is ${statusOf(check)}`;
}

/** A token may be too weak for the catalog, and good enough for the agent. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof HeddleError && !error.retryable) return undefined;
  throw error;
}

function unlessNotFound(error: unknown): undefined {
  if (error instanceof HeddleError && error.code === 'not-found') return undefined;
  throw error;
}

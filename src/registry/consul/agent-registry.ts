import { HeddleError } from '../../errors.ts';
import { checkStatus, checksReportedByHeddle } from '../../services/health.ts';
import { differs, ID_PREFIX, isOurs, OWNER } from '../../services/naming/identity.ts';
import {
  type Check,
  type CheckKind,
  type CheckStatus,
  isReported,
  OWNER_META,
  type Service,
} from '../../services/service.ts';
import type { Registry, Watching } from '../registry.ts';
import { AgentIdentity } from './agent-identity.ts';
import { ConsulAccess } from './api/access.ts';
import { readAgentChecks, readAgentServices, readNode, readService } from './api/answers.ts';
import type { Call, ConsulClient } from './api/client.ts';
import { unlessNotFound, unlessRefused } from './api/errors.ts';
import { registrationOf } from './api/json.ts';
import type { AgentSelf } from './api/self.ts';
import { type AgentSays, AutoDeregistered } from './auto-deregistered.ts';
import { stampOf } from './change-stamp.ts';
import { watchDigest } from './digest-watch.ts';
import { OthersChecks } from './others-checks.ts';
import { Renames } from './renames.ts';
import { withOverriddenTags } from './tag-override.ts';
import { whyAgentIsRefused } from './wiped-agent.ts';

export interface ConsulOptions {
  readonly hostId: string;
  /** Time between two looks at what the agent holds of ours, in ms; default 2,000. */
  readonly watchEvery?: number;
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
  readonly #reaped = new AutoDeregistered();
  readonly #renames: Renames;
  readonly #othersChecks: OthersChecks;
  /** The agent, as it last said. */
  readonly identity: AgentIdentity;
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
    this.#othersChecks = new OthersChecks(client);
    this.identity = new AgentIdentity(client);
  }

  get name(): string {
    return this.#client.name;
  }

  ready(signal?: AbortSignal): Promise<void> {
    return this.#access.ready(signal);
  }

  async list(signal?: AbortSignal): Promise<readonly Service[]> {
    // It may have come back as another: what is compared next is read of the node that it is now.
    await this.identity.read(signal).catch(unlessRefused);
    const services = await this.#client.get(this.#own('cannot list services', signal), readAgentServices);
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
    const says = AutoDeregistered.concerns(service) ? await this.#says(service.id, signal) : undefined;
    const tagged = await this.#withHeldTags(service, signal);
    const renamed = await this.#renames.prepare(tagged, signal);
    const isHeld = this.#renames.holds(service.id);
    const stale = isHeld ? await this.#othersChecks.staleBeside(service, signal) : undefined;
    await this.#client.put({
      attempt: `cannot register ${service.name}`,
      path: '/agent/service/register',
      // Else a check that the service no longer has would stay, critical for ever.
      ...(stale === undefined && { query: { 'replace-existing-checks': 'true' } }),
      body: registrationOf(says === undefined ? renamed : this.#reaped.returning(renamed, says)),
      signal,
    });
    if (stale !== undefined) await this.#othersChecks.remove(stale, signal);
    this.#writes++;
    this.#renames.taken(service);
    this.#othersChecks.taken(service);
    if (says !== undefined) this.#reaped.taken(service, says);
    if (service.checks.some(isReported)) this.#tells = true;
  }

  async report(service: Service, signal?: AbortSignal): Promise<void> {
    for (const check of checksReportedByHeddle(service, 'agent')) {
      const status = checkStatus(check);
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
    return await this.#client.get(call, readAgentChecks);
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
    this.#othersChecks.forget(id);
    this.#writes++;
  }

  /** One that the token may not look at is not said to be. */
  async foreign(ids: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const looks = ids.map((id) => this.#isForeign(id, signal).catch(unlessRefused));
    const found = await Promise.all(looks);
    return ids.filter((_, at) => found[at] === true);
  }

  /** An older content in the catalog, or one that somebody changed there, is as bad as none. */
  async unsynced(held: readonly Service[], signal?: AbortSignal): Promise<readonly string[]> {
    await this.#access.proveReadingCatalog(signal);
    if (held.length === 0) return [];
    const { node } = this.identity.last ?? (await this.identity.read(signal));
    const catalog = await this.#client.get(
      this.#inCatalog('cannot read the catalog', node, signal),
      readNode,
    );
    const served = new Map(catalog?.services.map((service) => [service.id, service]));
    const isServed = (service: Service) => {
      const entry = served.get(service.id);
      // Both were read in one way: nearly always the texts are the same, which costs less to see.
      return entry !== undefined && (isSameText(entry, service) || !differs(entry, service));
    };
    return held.filter((service) => !isServed(service)).map(({ id }) => id);
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
    const [major = 0, minor = 0] = (this.identity.last?.version || '1.0').split('.').map(Number);
    return major > 1 || minor >= SINCE_MINOR[kind];
  }

  /**
   * An agent that follows redirects would ask whomever a container names, its own API among them. Until its version is
   * known, it may be one that cannot be kept from it.
   */
  heddleRuns(kind: CheckKind['kind']): boolean {
    return kind === 'http' && !canDisableRedirects(this.identity.last?.version ?? '');
  }

  /** All that is held of ours is a long answer; it is asked for only where it may be another than the last. */
  async #digest(signal: AbortSignal): Promise<string> {
    await this.ready(signal);
    const stamp = await stampOf({ client: this.#client, identity: this.identity }, signal).catch(
      unlessRefused,
    );
    if (stamp === undefined || stamp !== this.#digested?.stamp) {
      this.#digested = { stamp, digest: await this.#digestHeld(signal) };
    }
    return this.#digested.digest;
  }

  async #digestHeld(signal: AbortSignal): Promise<string> {
    const attempt = 'cannot watch services';
    const calls = [this.#own(attempt, signal)];
    // What somebody takes out of the catalog, the agent puts back only with its next full sync.
    const node = this.identity.last?.node;
    if (node !== undefined) calls.push(this.#inCatalog(attempt, node, signal));
    // An agent that was restarted may have all services, and their health of long ago.
    if (this.#tells) calls.push(this.#told('cannot watch checks', signal));
    const digest = (call: Call) => this.#client.digest(call);
    const [held, ...others] = await Promise.all(calls.map(digest));
    return [held, ...others].join();
  }

  /** What the servers have of ours on the agent's node. */
  #inCatalog(attempt: string, node: string, signal: AbortSignal | undefined): Call {
    return { ...this.#own(attempt, signal), path: '/catalog/node/{node}', params: { node } };
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
    const self = this.identity.last ?? (await this.identity.read(signal).catch(unlessRefused));
    if (self === undefined) return service;
    return withOverriddenTags(service, { client: this.#client, node: self.node, signal });
  }

  /** Ids of our own form are ours by form; a SERVICE_ID may be anybody's, and has to be looked at. */
  async #isForeign(id: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (id.startsWith(`${ID_PREFIX}${this.#options.hostId}:`)) return false;
    const held = await this.#held(id, signal);
    return held !== undefined && !isOurs(held.meta, this.#options.hostId);
  }

  async #held(id: string, signal: AbortSignal | undefined): Promise<Service | undefined> {
    const call = { attempt: `cannot look at ${id}`, path: '/agent/service/{id}', params: { id }, signal };
    return await this.#client.get(call, readService).catch(unlessNotFound);
  }

  /** Undefined where the token may not ask. */
  async #says(id: string, signal: AbortSignal | undefined): Promise<AgentSays | undefined> {
    const self: AgentSelf | undefined = await this.identity.read(signal).catch(unlessRefused);
    if (self === undefined) return undefined;
    return { nodeId: self.nodeId, holds: (await this.#held(id, signal)) !== undefined };
  }
}

/** The same words for the same status: an agent whose checks say the same has nothing to send to its servers. */
function outputOf(check: Check): string {
  if (check.runBy === 'heddle') return `heddle: the check is ${checkStatus(check)}`;
  if (check.kind === 'ttl')
    return `heddle: the container ${checkStatus(check) === 'passing' ? 'runs' : 'has ended'}`;
  return `heddle: the container's HEALTHCHECK is ${checkStatus(check)}`;
}

const isSameText = (one: Service, other: Service): boolean => JSON.stringify(one) === JSON.stringify(other);

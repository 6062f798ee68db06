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
import { type AgentState, AutoDeregistered } from './auto-deregistered.ts';
import { stampOf } from './change-stamp.ts';
import { watchDigest } from './digest-watch.ts';
import { ForeignChecks } from './foreign-checks.ts';
import { Renames } from './renames.ts';
import { withOverriddenTags } from './tag-override.ts';
import { whyAgentIsRefused } from './wiped-agent.ts';

export interface ConsulOptions {
  readonly hostId: string;
  /** Time between two polls of our services on the agent, in ms; default 2,000. */
  readonly watchEvery?: number;
}

const WATCH_MS = 2000;

/** The Consul 1.x that introduced each kind of check; older versions reject a service with an unknown field. */
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

/** The first patch of each minor version of Consul 1.x that accepts DisableRedirects; all later minors do. */
const DISABLES_REDIRECTS: Readonly<Record<number, number>> = { 9: 17, 10: 10, 11: 5 };

export function canDisableRedirects(version: string): boolean {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return false;
  if (Number(major) !== 1) return Number(major) > 1;
  if (Number(minor) >= 12) return true;
  return Number(patch) >= (DISABLES_REDIRECTS[Number(minor)] ?? Number.POSITIVE_INFINITY);
}

/** A registry on a Consul agent. It lists and removes services by the owner and host-id in Meta, never by name. */
export class ConsulRegistry implements Registry {
  readonly checkedBy = 'agent';
  readonly #client: ConsulClient;
  readonly #options: ConsulOptions;
  readonly #access: ConsulAccess;
  readonly #autoDeregistered = new AutoDeregistered();
  readonly #renames: Renames;
  readonly #foreignChecks: ForeignChecks;
  /** The agent's node, address and version. */
  readonly identity: AgentIdentity;
  /** The last digest, and the stamp read just before it. */
  #digested: { readonly stamp: string | undefined; readonly digest: string } | undefined;
  /** Number of our writes that Consul accepted. */
  #writes = 0;
  /** True once a service with reported checks was registered. */
  #reportsChecks = false;

  constructor(client: ConsulClient, options: ConsulOptions) {
    this.#client = client;
    this.#options = options;
    this.#access = new ConsulAccess(client);
    this.#renames = new Renames(client);
    this.#foreignChecks = new ForeignChecks(client);
    this.identity = new AgentIdentity(client);
  }

  get name(): string {
    return this.#client.name;
  }

  ready(signal?: AbortSignal): Promise<void> {
    return this.#access.ready(signal);
  }

  async list(signal?: AbortSignal): Promise<readonly Service[]> {
    // The agent may have come back under another node name, which the next comparison needs.
    await this.identity.read(signal).catch(unlessRefused);
    const services = await this.#client.get(
      this.#ownServices('cannot list services', signal),
      readAgentServices,
    );
    if (services.length === 0) await this.#access.proveReading(signal);
    this.#renames.learn(services);
    return services;
  }

  /** @throws HeddleError `taken` for a SERVICE_ID that belongs to another owner on the agent */
  async register(service: Service, signal?: AbortSignal): Promise<void> {
    if (await this.#isForeign(service.id, signal)) {
      const problem = `service id '${service.id}' already belongs to another owner in ${this.name}`;
      const advice = 'remove that service or set another SERVICE_ID';
      throw new HeddleError('taken', `cannot register ${service.name}: ${problem}; ${advice}`);
    }
    const state = AutoDeregistered.concerns(service) ? await this.#agentState(service.id, signal) : undefined;
    const tagged = await this.#withOverriddenTags(service, signal);
    const renamed = await this.#renames.prepare(tagged, signal);
    const isHeld = this.#renames.holds(service.id);
    const stale = isHeld ? await this.#foreignChecks.staleOwnChecks(service, signal) : undefined;
    await this.#client.put({
      attempt: `cannot register ${service.name}`,
      path: '/agent/service/register',
      // Otherwise a check that the service no longer has would stay, and be critical for ever.
      ...(stale === undefined && { query: { 'replace-existing-checks': 'true' } }),
      body: registrationOf(state === undefined ? renamed : this.#autoDeregistered.comingBack(renamed, state)),
      signal,
    });
    if (stale !== undefined) await this.#foreignChecks.remove(stale, signal);
    this.#writes++;
    this.#renames.registered(service);
    this.#foreignChecks.registered(service);
    if (state !== undefined) this.#autoDeregistered.registered(service, state);
    if (service.checks.some(isReported)) this.#reportsChecks = true;
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

  /** Ids of our checks always begin with our prefix, whatever the service's SERVICE_ID. */
  async statuses(signal?: AbortSignal): Promise<ReadonlyMap<string, CheckStatus>> {
    const call = this.#reportedChecks('cannot read the health of services', signal);
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
    // Newer versions answer 404 where 1.8 answers 200.
    await this.#client.put(call).catch(unlessNotFound);
    this.#autoDeregistered.forget(id);
    this.#renames.forget(id);
    this.#foreignChecks.forget(id);
    this.#writes++;
  }

  /** An id that the token may not read does not count as foreign. */
  async foreign(ids: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const reads = ids.map((id) => this.#isForeign(id, signal).catch(unlessRefused));
    const found = await Promise.all(reads);
    return ids.filter((_, at) => found[at] === true);
  }

  /** An entry with outdated or edited content in the catalog counts as missing. */
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
      // Nearly always the JSON is equal, which is cheaper to compare.
      return entry !== undefined && (isSameText(entry, service) || !differs(entry, service));
    };
    return held.filter((service) => !isServed(service)).map(({ id }) => id);
  }

  whyUnsynced(signal?: AbortSignal): Promise<string | undefined> {
    return whyAgentIsRefused(this.#client, signal);
  }

  /** Losing or regaining the agent or its leader also counts as a change. */
  watch(changed: () => void): Watching {
    const needs = { writes: () => this.#writes, digest: (signal: AbortSignal) => this.#digest(signal) };
    return watchDigest(needs, this.#options.watchEvery ?? WATCH_MS, changed);
  }

  /** Until the agent's version is known, only the kinds of 1.0 count. */
  runs(kind: CheckKind['kind']): boolean {
    const [major = 0, minor = 0] = (this.identity.last?.version || '1.0').split('.').map(Number);
    return major > 1 || minor >= SINCE_MINOR[kind];
  }

  /** True for http if the agent is too old, or unknown: a container could redirect it anywhere, even to its own API. */
  heddleRuns(kind: CheckKind['kind']): boolean {
    return kind === 'http' && !canDisableRedirects(this.identity.last?.version ?? '');
  }

  /** Reads the long list of our services only if the stamp says that it may have changed. */
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
    const calls = [this.#ownServices(attempt, signal)];
    // An entry deleted from the catalog is restored by the agent only with its next full sync.
    const node = this.identity.last?.node;
    if (node !== undefined) calls.push(this.#inCatalog(attempt, node, signal));
    // A restarted agent may hold all services with outdated statuses of their checks.
    if (this.#reportsChecks) calls.push(this.#reportedChecks('cannot watch checks', signal));
    const digest = (call: Call) => this.#client.digest(call);
    const [held, ...others] = await Promise.all(calls.map(digest));
    return [held, ...others].join();
  }

  /** Our services on the agent's node in the servers' catalog. */
  #inCatalog(attempt: string, node: string, signal: AbortSignal | undefined): Call {
    return { ...this.#ownServices(attempt, signal), path: '/catalog/node/{node}', params: { node } };
  }

  #reportedChecks(attempt: string, signal: AbortSignal | undefined): Call {
    const reportsHttp = this.heddleRuns('http') ? '|https?' : '';
    const filter = `CheckID matches "^${ID_PREFIX}${this.#options.hostId}:.*~(ttl|healthcheck${reportsHttp})$"`;
    return { attempt, path: '/agent/checks', query: { filter }, signal };
  }

  #ownServices(attempt: string, signal: AbortSignal | undefined): Call {
    const marks = { [OWNER_META.owner]: OWNER, [OWNER_META.host]: this.#options.hostId };
    const terms = Object.entries(marks).map(([key, value]) => `Meta["${key}"] == "${value}"`);
    return { attempt, path: '/agent/services', query: { filter: terms.join(' and ') }, signal };
  }

  /** Returns the service unchanged if the token may not read the catalog. */
  async #withOverriddenTags(service: Service, signal: AbortSignal | undefined): Promise<Service> {
    if (service.enableTagOverride !== true) return service;
    const self = this.identity.last ?? (await this.identity.read(signal).catch(unlessRefused));
    if (self === undefined) return service;
    return withOverriddenTags(service, { client: this.#client, node: self.node, signal });
  }

  /** Generated ids of this host are always ours; a SERVICE_ID may belong to any owner and has to be read. */
  async #isForeign(id: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (id.startsWith(`${ID_PREFIX}${this.#options.hostId}:`)) return false;
    const held = await this.#held(id, signal);
    return held !== undefined && !isOurs(held.meta, this.#options.hostId);
  }

  async #held(id: string, signal: AbortSignal | undefined): Promise<Service | undefined> {
    const call = {
      attempt: `cannot read service ${id}`,
      path: '/agent/service/{id}',
      params: { id },
      signal,
    };
    return await this.#client.get(call, readService).catch(unlessNotFound);
  }

  /** Undefined if the token may not read the agent. */
  async #agentState(id: string, signal: AbortSignal | undefined): Promise<AgentState | undefined> {
    const self: AgentSelf | undefined = await this.identity.read(signal).catch(unlessRefused);
    if (self === undefined) return undefined;
    return { nodeId: self.nodeId, holds: (await this.#held(id, signal)) !== undefined };
  }
}

/** The same output for the same status: an agent sends a check to its servers only if the check changed. */
function outputOf(check: Check): string {
  if (check.runBy === 'heddle') return `heddle: the check is ${checkStatus(check)}`;
  if (check.kind === 'ttl')
    return `heddle: the container ${checkStatus(check) === 'passing' ? 'runs' : 'has ended'}`;
  return `heddle: the container's HEALTHCHECK is ${checkStatus(check)}`;
}

const isSameText = (one: Service, other: Service): boolean => JSON.stringify(one) === JSON.stringify(other);

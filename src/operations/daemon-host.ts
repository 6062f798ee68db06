import type { EffectiveSetting } from '../config/effective.ts';
import type { Follower } from '../containers/follow.ts';
import { ignoredProblem } from '../containers/granted.ts';
import type { Impostors } from '../containers/impostors.ts';
import type { Parts } from '../containers/parts.ts';
import type { EngineAnswer } from '../control/protocol.ts';
import type { ContainerResolver, DnsPreferences } from '../dns/args.ts';
import type { NameService } from '../dns/name-service.ts';
import type { NameRequest, WeaveNames } from '../dns/names/weave-names.ts';
import type { ZoneAnswer } from '../dns/zone-answer.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { findImpostors } from '../doctor/impostors.ts';
import { findRegistry } from '../doctor/registry.ts';
import { HeddleError } from '../errors.ts';
import type { Claims } from '../ipam/claims.ts';
import { detachedNote } from '../ipam/requested.ts';
import type { FormerOwner, Leftover } from '../registry/consul/leftovers.ts';
import type { Desired } from '../registry/reconcile/desired.ts';
import type { Reconciler } from '../registry/reconcile/reconciler.ts';
import type { Instance, Registry, View } from '../registry/registry.ts';
import type { RemoteNames } from '../registry/view/remote-names.ts';
import type { Roster } from '../roster/roster.ts';
import { VERSION } from '../version.ts';
import { DaemonAddresses, type DaemonAddressesNeeds } from './daemon-addresses.ts';
import type {
  AttachmentReport,
  ContainerReport,
  HostOperations,
  NamesReport,
  StatusReport,
} from './host-operations.ts';
import { attachmentReports, containerCounts, dnsReport, ipamReport, networkReport } from './report.ts';

/** The containers of this host, and what the daemon does to them. */
export interface ContainerParts {
  readonly parts: Parts;
  readonly claims: Claims;
  readonly roster: Roster;
  readonly follower: Follower;
  readonly impostors: Pick<Impostors, 'problems'>;
  readonly keeper: DaemonAddressesNeeds['keeper'];
}

/** What is registered, and what the registry answers. */
export interface RegistrationParts {
  readonly registry: Pick<Registry, 'name'>;
  readonly desired: Desired;
  readonly reconciler: Reconciler;
  readonly view: Pick<View, 'instances'>;
  readonly remote: Pick<RemoteNames, 'status'> | undefined;
}

/** Names that DNS answers. */
export interface NameParts {
  readonly names: NameService;
  readonly containerNames: WeaveNames;
}

/** What a command asks Consul for at once, past the daemon's own tables. */
export interface ConsulQueries {
  readonly collectLeftovers: HostOperations['collectLeftovers'];
  /** What `doctor` finds about Consul's clock. */
  clock(): Promise<readonly Finding[]>;
}

export interface DaemonHostNeeds {
  readonly containers: ContainerParts;
  readonly registration: RegistrationParts;
  readonly dns: NameParts;
  readonly consul: ConsulQueries;
}

export interface DaemonHostOptions {
  readonly settings: readonly EffectiveSetting[];
  readonly hostId: string;
  readonly bridge: string;
  readonly onlyPassing: boolean;
}

/** The operations of a daemon: they read its live tables, and changes are saved for its next start. */
export class DaemonHost implements HostOperations {
  readonly addresses: DaemonAddresses;
  readonly #containers: ContainerParts;
  readonly #registration: RegistrationParts;
  readonly #dns: NameParts;
  readonly #consul: ConsulQueries;
  readonly #options: DaemonHostOptions;
  readonly #startedAt = new Date().toISOString();
  #engine: string | undefined;

  constructor(needs: DaemonHostNeeds, options: DaemonHostOptions) {
    this.#containers = needs.containers;
    this.#registration = needs.registration;
    this.#dns = needs.dns;
    this.#consul = needs.consul;
    this.#options = options;
    this.addresses = new DaemonAddresses({ ...needs.containers, ...needs.dns });
  }

  /** The Docker engine that this daemon serves; without an id until Docker has answered. */
  async engine(): Promise<EngineAnswer> {
    const { docker } = this.#containers.parts;
    this.#engine ??= await docker.info().then(
      ({ id }) => id,
      () => undefined,
    );
    return { engine: this.#engine ?? '', address: docker.address, version: VERSION, pid: process.pid };
  }

  async createBridge(): Promise<string> {
    const { network, bridge } = this.#containers.parts;
    await network.ensureBridge();
    return bridge;
  }

  /** @throws HeddleError `taken` where another program answers DNS at that address: it does not have heddle's names */
  async resolver(options?: Pick<DnsPreferences, 'onlyAttached'>): Promise<ContainerResolver | undefined> {
    const { parts } = this.#containers;
    const { names } = this.#dns;
    const resolver = await parts.bridges.resolver(options);
    const problem = resolver && names.troubleAt(resolver.address);
    if (problem !== undefined) throw new HeddleError('taken', problem);
    return resolver;
  }

  bridgeAddress(): Promise<string> {
    return this.#containers.parts.bridges.dnsAddress();
  }

  async addName(request: NameRequest): Promise<void> {
    await this.#dns.containerNames.add(await this.#byId(request));
  }

  async names(): Promise<NamesReport> {
    const { names, containerNames } = this.#dns;
    return { ...containerNames.report, upstreams: await names.upstreams() };
  }

  async removeName(request: NameRequest): Promise<void> {
    if (await this.#dns.containerNames.remove(await this.#byId(request))) return;
    const { name, ips, container } = request;
    const owner = [container === undefined ? [] : `container '${container}'`, ips].flat().join(', ');
    const what = name === undefined ? 'no name' : `no name '${name}'`;
    throw new HeddleError('not-found', `dns-add gave ${what} to ${owner}; hide removes the names of expose`);
  }

  lookUp(nameOrAddress: string): Promise<readonly string[]> {
    return this.#dns.names.lookUp(nameOrAddress);
  }

  ask(nameOrAddress: string): Promise<readonly ZoneAnswer[]> {
    return this.#dns.names.ask(nameOrAddress);
  }

  async containers(): Promise<readonly ContainerReport[]> {
    const { roster, claims } = this.#containers;
    const { desired } = this.#registration;
    const { containerNames } = this.#dns;
    return Array.from(roster.entries(), (entry) => ({
      entry,
      services: desired.ofContainer(entry.snapshot.id),
      wouldRegister: desired.wouldRegister(entry),
      problems: [
        ...ignoredProblem(entry),
        ...this.#containers.impostors.problems(entry.snapshot.id),
        ...desired.problems(entry.snapshot.id),
        ...this.#rejections(entry.snapshot.id),
        ...containerNames.problems(entry.snapshot.id),
        ...[detachedNote(entry.snapshot, claims.of(entry.snapshot.id)) ?? []].flat(),
      ],
    }));
  }

  async instances(service: string): Promise<readonly Instance[]> {
    return await this.#registration.view.instances(service);
  }

  get onlyPassing(): boolean {
    return this.#options.onlyPassing;
  }

  registration(service: string): string {
    const { desired, reconciler, registry } = this.#registration;
    const { state, problem, errors, unsynced } = reconciler.status();
    if (desired.get(service) === undefined) return 'not registered';
    const rejection = errors.get(service);
    if (rejection !== undefined) return `rejected: ${rejection}`;
    if (state !== 'synced') return `waiting: ${problem ?? `${registry.name} has not been compared yet`}`;
    return unsynced.includes(service) ? 'registered, but not served by its catalog' : 'registered';
  }

  async collectLeftovers(
    gone: FormerOwner,
    options: { readonly dryRun: boolean },
  ): Promise<readonly Leftover[]> {
    if ('hostId' in gone && gone.hostId === this.#options.hostId) {
      throw new HeddleError(
        'refused',
        `${gone.hostId} is this host, and its heddle runs; stop it with --on-stop deregister to remove its services`,
      );
    }
    return await this.#consul.collectLeftovers(gone, options);
  }

  attachments(): Promise<readonly AttachmentReport[]> {
    const { parts, roster } = this.#containers;
    return attachmentReports(parts, roster.entries());
  }

  async settings(): Promise<readonly EffectiveSetting[]> {
    return this.#options.settings;
  }

  async doctor(): Promise<readonly Finding[]> {
    const { parts, roster } = this.#containers;
    const { names } = this.#dns;
    const running = [...roster.entries()].map(({ snapshot }) => snapshot).filter(({ pid }) => pid > 0);
    const registry = async () => {
      const report = (await this.status()).registry;
      return [...(report ? [findRegistry(report)] : []), ...(await this.#consul.clock())];
    };
    const findings = await examine({ parts, running, registry, listeners: names.listeners() });
    return [
      ...findings,
      findImpostors(running, (container) => this.#containers.impostors.problems(container)),
    ];
  }

  async status(): Promise<StatusReport> {
    const { parts, roster, follower } = this.#containers;
    const { desired, reconciler, registry, remote } = this.#registration;
    const { names } = this.#dns;
    const { hostId, bridge } = this.#options;
    const { state, lastPass, problem, pending, errors, unsynced, unsyncedWhy } = reconciler.status();
    const problems = [
      problem ?? '',
      pending > 0 ? `${pending} to be written` : '',
      errors.size > 0 ? `${errors.size} rejected` : '',
      unsynced.length > 0 ? `${unsynced.length} not served by its catalog` : '',
      unsyncedWhy ?? '',
    ];
    return {
      version: VERSION,
      daemon: { pid: process.pid, startedAt: this.#startedAt, hostId },
      docker: { address: parts.docker.address, follower: follower.status() },
      containers: containerCounts(roster.entries()),
      registry: {
        name: registry.name,
        state,
        services: desired.size,
        lastPass,
        remote: remote ? { ...remote.status(), state: state === 'away' ? 'last known' : 'live' } : null,
        detail: problems.filter(Boolean).join(', '),
      },
      dns: names.listeners().map(dnsReport),
      ipam: ipamReport(parts.addressing),
      network: await networkReport(parts.network, bridge),
    };
  }

  /** Replaces the container of a request by its full id. */
  async #byId({ container, ...request }: NameRequest): Promise<NameRequest> {
    if (container === undefined) return request;
    const { parts, follower } = this.#containers;
    const snapshot = await parts.docker.inspect(container);
    if (!snapshot) throw new HeddleError('not-found', `no such container: ${container}`);
    await follower.inspect(snapshot.id);
    return { ...request, container: snapshot.id };
  }

  #rejections(container: string): readonly string[] {
    const { desired, reconciler } = this.#registration;
    const { errors } = reconciler.status();
    return desired.ofContainer(container).flatMap(({ id }) => errors.get(id) ?? []);
  }
}

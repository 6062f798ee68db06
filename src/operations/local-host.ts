import type { EffectiveSetting } from '../config/effective.ts';
import type { LoadedSettings } from '../config/load.ts';
import { defineOptions } from '../config/service-options.ts';
import { ignoredProblem } from '../containers/granted.ts';
import { assembleParts, type Parts } from '../containers/parts.ts';
import type { ContainerResolver, DnsPreferences } from '../dns/args.ts';
import { overTcp } from '../dns/forward/upstream/exchange.ts';
import { lookUp } from '../dns/lookup.ts';
import type { DockerClient } from '../docker/client.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { findRegistryWithoutDaemon } from '../doctor/registry.ts';
import { HeddleError } from '../errors.ts';
import { assignedTo } from '../ipam/assigned-addresses.ts';
import { Claims } from '../ipam/claims.ts';
import type { FormerOwner, Leftover } from '../registry/consul/leftovers.ts';
import { collectLeftovers } from '../registry/open.ts';
import type { Instance } from '../registry/registry.ts';
import type { RosterEntry } from '../roster/entry.ts';
import { Roster } from '../roster/roster.ts';
import { createLogger } from '../runtime/log.ts';
import { define } from '../services/define.ts';
import { wouldRegister } from '../services/would-register.ts';
import { MemoryState } from '../state/state.ts';
import { VERSION } from '../version.ts';
import type { AttachmentReport, ContainerReport, HostOperations, StatusReport } from './host-operations.ts';
import { LocalAddresses, withoutDaemon } from './local-addresses.ts';
import { attachmentReports, containerCounts, ipamReport, networkReport } from './report.ts';

/**
 * The operations for one command in this process, without a daemon. Every operation scans what it needs, and nothing
 * is saved.
 * @throws HeddleError `not-permitted` when the user is not root
 */
export async function localHost(settings: LoadedSettings, client: DockerClient): Promise<HostOperations> {
  if (process.getuid?.() === 0) return await assembleHost(settings, client, { isRemoteEngine: false });
  throw new HeddleError('not-permitted', "this command works on the host's own network; run it as root");
}

/** The same for any user, but only to read what is visible from here. The engine may be on another host. */
export const observerOnly = (settings: LoadedSettings, client: DockerClient): Promise<HostOperations> =>
  assembleHost(settings, client, { isRemoteEngine: !client.address.startsWith('unix:') });

async function assembleHost(
  settings: LoadedSettings,
  client: DockerClient,
  options: { readonly isRemoteEngine: boolean },
): Promise<HostOperations> {
  const log = createLogger({ level: 'warn', pretty: true }, process.stderr);
  const roster = new Roster();
  // Every command that assigns an address scans all containers first.
  roster.complete = true;
  // An address that the daemon has assigned stays taken, even if its container is stopped.
  const claims = new Claims(await MemoryState.copyOf(settings.stateDir));
  // Reading must change nothing, so only the daemon assigns the addresses that containers request.
  const parts = assembleParts(
    { ...settings, attach: false },
    {
      client,
      log,
      claims,
      roster,
      advertised: () => undefined,
    },
  );
  return new LocalHost({ parts, claims, roster }, { settings, ...options });
}

const DNS_PORT = 53;
/** As long as the daemon may wait for its upstream servers. */
const LOOKUP_TIMEOUT_MS = 10_000;

class LocalHost implements HostOperations {
  readonly addresses: LocalAddresses;
  readonly #parts: Parts;
  readonly #claims: Claims;
  readonly #roster: Roster;
  readonly #settings: LoadedSettings;
  readonly #isRemoteEngine: boolean;
  /** The documents that the template of tags reads by HTTP: fetched once, when the first container is inspected. */
  #documents: Promise<unknown> | undefined;

  constructor(
    needs: { readonly parts: Parts; readonly claims: Claims; readonly roster: Roster },
    { settings, isRemoteEngine }: { readonly settings: LoadedSettings; readonly isRemoteEngine: boolean },
  ) {
    this.#parts = needs.parts;
    this.#claims = needs.claims;
    this.#roster = needs.roster;
    this.#settings = settings;
    this.#isRemoteEngine = isRemoteEngine;
    const { parts, claims } = needs;
    this.addresses = new LocalAddresses({ parts, claims, fullScan: () => this.containers() }, settings);
  }

  async createBridge(): Promise<string> {
    const { network, bridge } = this.#parts;
    await network.ensureBridge();
    return bridge;
  }

  resolver(options?: Pick<DnsPreferences, 'onlyAttached'>): Promise<ContainerResolver | undefined> {
    return this.#parts.bridges.resolver(options);
  }

  bridgeAddress(): Promise<string> {
    return this.#parts.bridges.dnsAddress();
  }

  async addName(): Promise<void> {
    throw withoutDaemon('dns-add');
  }

  async names(): Promise<undefined> {
    return undefined;
  }

  async removeName(): Promise<void> {
    throw withoutDaemon('dns-remove');
  }

  lookUp(nameOrAddress: string): Promise<readonly string[]> {
    return lookUp(nameOrAddress, async (query) => {
      const upstream = { ip: await this.#parts.bridges.dnsAddress(), port: DNS_PORT };
      return await overTcp(
        upstream,
        { message: query, questionEnd: query.length },
        AbortSignal.timeout(LOOKUP_TIMEOUT_MS),
      );
    });
  }

  async ask(): Promise<undefined> {
    return undefined;
  }

  async containers(): Promise<readonly ContainerReport[]> {
    const { docker } = this.#parts;
    const reports = await Promise.all((await docker.containers()).map(({ id }) => this.#inspect(id)));
    return reports.filter((report) => report !== undefined);
  }

  async instances(name: string): Promise<readonly Instance[]> {
    const reports = await this.containers();
    const services = reports.flatMap((report) => report.services).filter((service) => service.name === name);
    return services.map((service) => {
      const unwell = service.checks.map(({ id, name }) => ({ id, name, status: 'unknown' as const }));
      return { service, node: 'local', nodeAddress: '', status: 'passing', unwell };
    });
  }

  get onlyPassing(): boolean {
    return this.#settings.onlyPassing;
  }

  registration(): string {
    return 'unknown (no daemon running)';
  }

  collectLeftovers(gone: FormerOwner, options: { readonly dryRun: boolean }): Promise<readonly Leftover[]> {
    return collectLeftovers(this.#settings, gone, options);
  }

  async attachments(): Promise<readonly AttachmentReport[]> {
    await this.containers();
    return attachmentReports(this.#parts, this.#roster.entries());
  }

  async settings(): Promise<readonly EffectiveSetting[]> {
    return this.#settings.effective;
  }

  async doctor(): Promise<readonly Finding[]> {
    // Without Docker, doctor still examines everything else.
    const reports = await this.containers().catch(() => []);
    const running = reports.map(({ entry }) => entry.snapshot).filter(({ pid }) => pid > 0);
    const registry = () => findRegistryWithoutDaemon(this.#settings);
    const isRemoteEngine = this.#isRemoteEngine;
    return examine({ parts: this.#parts, running, registry, listeners: undefined, isRemoteEngine });
  }

  async status(): Promise<StatusReport> {
    const { docker, network, addressing } = this.#parts;
    const containers = containerCounts((await this.containers()).map(({ entry }) => entry));
    return {
      version: VERSION,
      daemon: null,
      docker: { address: docker.address, follower: null },
      containers,
      registry: null,
      dns: null,
      ipam: ipamReport(addressing),
      network: await networkReport(network, this.#settings.bridge),
    };
  }

  async #inspect(id: string): Promise<ContainerReport | undefined> {
    const { docker, observer } = this.#parts;
    const snapshot = await docker.inspect(id);
    if (!snapshot) return undefined;
    const entry = await observer.observe(snapshot);
    this.#roster.set(entry);
    this.#documents ??= this.#settings.tags?.documents.fetchMissing();
    await this.#documents;
    // No registry receives these services, so any host-id will do.
    const byOthers = (ip: string, entry: RosterEntry) => assignedTo(this.#claims, this.#roster, ip, entry);
    const options = { ...defineOptions(this.#settings, byOthers), hostId: 'local' };
    const { definitions, problems } = define(entry, options);
    const services = definitions.map(({ service }) => service);
    return {
      entry,
      services,
      wouldRegister: wouldRegister(entry, services, options),
      problems: [...ignoredProblem(entry), ...problems],
    };
  }
}

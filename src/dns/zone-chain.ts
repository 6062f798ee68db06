import { formatCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { Node } from '../registry/open.ts';
import type { View } from '../registry/registry.ts';
import type { Logger } from '../runtime/log.ts';
import type { Service } from '../services/service.ts';
import { AliasZone } from './aliases.ts';
import { type ForwardNeeds, ForwardZone } from './forward/forward.ts';
import { RebindingGuard } from './forward/rebinding.ts';
import { type Route, serversFor } from './forward/routes.ts';
import type { Upstream } from './forward/upstreams.ts';
import type { NameTable } from './names/name-table.ts';
import { hostRecords, type OtherNames } from './other-names.ts';
import type { Zone } from './zone.ts';
import { ConsulZone } from './zones/consul.ts';
import { FirstScan } from './zones/first-scan.ts';
import { ReverseZone } from './zones/reverse.ts';
import { ServiceZone } from './zones/service.ts';
import { SERVICE_ZONE_DEFAULTS, type ServiceZoneSettings } from './zones/settings.ts';
import { SPECIAL_NAMES, SPECIAL_REVERSE_NAMES, SpecialUseZone } from './zones/special-use.ts';
import { WeaveZone } from './zones/weave.ts';

/** What the zones know about this host and its containers. */
export interface ZoneSources {
  readonly view: View;
  /** The names and addresses of containers. */
  readonly names: Pick<NameTable, 'addresses' | 'exists' | 'nameOf'>;
  node(): Node;
  /** Resolves when all running containers are known, or cannot be known for now. */
  rosterComplete(): Promise<unknown>;
  /** Whether the container of a service was seen with an address. */
  has(service: Service, ip: string): boolean;
  /** The networks that containers are attached to, now. */
  networks(): Promise<readonly Cidr[]>;
  readonly log: Pick<Logger, 'warn'>;
}

/** The settings that the zones read. */
export interface ZoneChainSettings {
  readonly domain: string;
  readonly altDomain?: string | undefined;
  readonly weaveDomain: string;
  readonly datacenter?: string | undefined;
  /** Seconds, by service name. */
  readonly serviceTtl: Readonly<Record<string, number>>;
  readonly nodeTtl: number;
  readonly onlyPassing: boolean;
  readonly forward: readonly Route[];
  readonly stopDnsRebind: boolean;
  readonly rebindOk: readonly string[];
  /** Consul's own DNS. */
  readonly consulDns?: Upstream | undefined;
  readonly ipallocRange: Cidr;
  readonly ip?: string | undefined;
}

/** How the zones reach upstream servers, and which addresses are this host's. */
export interface ZoneNetwork extends Pick<ForwardNeeds, 'upstreams' | 'client' | 'isLocal' | 'isOwn'> {
  /** Whether this host itself has an address. */
  readonly isHostAddress: (ip: string) => boolean;
}

/** The zones in the order in which they are asked: the first one that answers a question wins. */
export function zoneChain(
  sources: ZoneSources,
  network: ZoneNetwork,
  settings: ZoneChainSettings,
): readonly Zone[] {
  const { view, names, log } = sources;
  const { domain, altDomain, weaveDomain, consulDns, forward: routes } = settings;
  const ownDomains = [domain, weaveDomain, altDomain ?? []].flat();
  const isRouted = (name: string) => serversFor(routes, name).length > 0;
  const zoneSettings = serviceZoneSettings(sources, settings);

  const consul = consulDns && consulNames(network, consulDns);
  const weave = new WeaveZone({ names }, { domain: weaveDomain });
  const forward = new ForwardZone(
    { ...network, guard: rebindingGuard(log, settings, ownDomains) },
    { ownDomains, routes },
  );
  const others: OtherNames = {
    resolve: async (question) => weave.resolve(question) ?? aliases.resolve(question),
  };
  const has: ZoneSources['has'] = (service, ip) => sources.has(service, ip) || isPublishedAt(ip);
  // Published ports are announced at this host's own address.
  const isPublishedAt = (ip: string) =>
    network.isHostAddress(ip) || ip === settings.ip || ip === sources.node().address;
  const own: readonly Zone[] = [
    ...(consul ? [new ConsulZone({ consul }, zoneSettings)] : []),
    new ServiceZone(
      { view, hostRecords: (host, question) => hostRecords(others, host, question) },
      zoneSettings,
    ),
    weave,
    new ReverseZone({ view, names, consul, has, networks: () => sources.networks() }, zoneSettings, [
      formatCidr(settings.ipallocRange),
    ]),
  ];
  const aliases = new AliasZone({ others: forward, own }, { ownDomains });

  return [
    // localhost, invalid, onion: never leave this host.
    new SpecialUseZone(SPECIAL_NAMES, { isRouted }),
    // Holds all further questions until the roster is complete.
    new FirstScan(() => sources.rosterComplete()),
    // Names that only Consul can answer, services and nodes, containers, addresses.
    ...own,
    // Reverse names of loopback and link-local addresses, unless a container has the address.
    new SpecialUseZone(SPECIAL_REVERSE_NAMES, { isRouted }),
    // Every other name: forwarded, and followed if it is an alias of ours.
    aliases,
  ];
}

function serviceZoneSettings(
  sources: Pick<ZoneSources, 'node'>,
  settings: ZoneChainSettings,
): ServiceZoneSettings {
  return {
    ...SERVICE_ZONE_DEFAULTS,
    domain: settings.domain,
    ...(settings.altDomain !== undefined && { altDomain: settings.altDomain }),
    serviceTtl: settings.serviceTtl,
    nodeTtl: settings.nodeTtl,
    onlyPassing: settings.onlyPassing,
    // Read at every question: an unreachable Consul agent reports them later.
    get datacenter() {
      return settings.datacenter ?? sources.node().datacenter;
    },
    get node() {
      return sources.node().name;
    },
    get nodeAddress() {
      return sources.node().address;
    },
  };
}

function rebindingGuard(
  log: ZoneSources['log'],
  { forward, rebindOk, stopDnsRebind }: ZoneChainSettings,
  ownDomains: readonly string[],
): RebindingGuard | undefined {
  if (!stopDnsRebind) return undefined;
  // The operator trusts the servers of --forward with their domains.
  const exceptions = [...rebindOk, ...forward.map(({ domain }) => domain)];
  return new RebindingGuard({ log }, { exceptions, ownDomains });
}

/**
 * Consul's own DNS, with its answers cached for as long as their TTL allows. External clients may ask, too: the names
 * are ours.
 */
function consulNames(
  { client, isOwn }: Pick<ForwardNeeds, 'client' | 'isOwn'>,
  server: Upstream,
): OtherNames {
  const upstreams = { current: async () => ({ servers: isOwn(server) ? [] : [server] }) };
  const zone = new ForwardZone({ client, isOwn, upstreams, isLocal: () => true }, { ownDomains: [] });
  return { resolve: (question) => zone.resolve({ ...question, recursionDesired: true }) };
}

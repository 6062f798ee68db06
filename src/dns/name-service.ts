import { formatCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { Node } from '../registry/open.ts';
import type { View } from '../registry/registry.ts';
import type { Logger } from '../runtime/log.ts';
import type { Service } from '../services/service.ts';
import { AliasZone } from './aliases.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import { type ForwardNeeds, ForwardZone } from './forward/forward.ts';
import { mayLeadBack } from './forward/loop-mark.ts';
import { RebindingGuard } from './forward/rebinding.ts';
import { type Route, serversFor } from './forward/routes.ts';
import { UpstreamClient } from './forward/upstream/client.ts';
import { type Upstream, Upstreams } from './forward/upstreams.ts';
import { type ListenAddress, listensAt } from './listen.ts';
import { LocalNetworks } from './local-networks.ts';
import { lookUp } from './lookup.ts';
import type { NameTable } from './names/name-table.ts';
import { hostRecords, type OtherNames } from './other-names.ts';
import { Resolver } from './resolve.ts';
import { Responder } from './responder.ts';
import { BridgeListeners } from './server/bridges.ts';
import type { ListenerStatus } from './server/listener.ts';
import { RateLimit } from './server/rate-limit.ts';
import { DnsServer } from './server/server.ts';
import type { Zone } from './zone.ts';
import { askZones, type ZoneAnswer } from './zone-answer.ts';
import { ConsulZone } from './zones/consul.ts';
import { FirstLook } from './zones/first-look.ts';
import { ReverseZone } from './zones/reverse.ts';
import { ServiceZone } from './zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from './zones/settings.ts';
import { SPECIAL_NAMES, SPECIAL_REVERSE_NAMES, SpecialUseZone } from './zones/special-use.ts';
import { WeaveZone } from './zones/weave.ts';

export interface NameServiceNeeds {
  readonly view: View;
  /** What containers are called. */
  readonly names: Pick<NameTable, 'addresses' | 'exists' | 'nameOf'>;
  node(): Node;
  /** Resolves when everything that runs is known, or cannot be for now. */
  known(): Promise<unknown>;
  /** The addresses of the bridges, now. */
  bridgeAddresses(): Promise<readonly string[]>;
  /** Whether the container of a service was seen with an address. */
  has(service: Service, ip: string): boolean;
  /** The networks that containers are attached to, now. */
  networks(): Promise<readonly Cidr[]>;
  readonly log: Logger;
}

/** The settings that the resolver reads. */
export interface NameServiceSettings {
  readonly domain: string;
  readonly altDomain?: string | undefined;
  readonly weaveDomain: string;
  readonly datacenter?: string | undefined;
  /** Seconds, by service name. */
  readonly serviceTtl: Readonly<Record<string, number>>;
  readonly nodeTtl: number;
  readonly onlyPassing: boolean;
  /** Addresses of the user's, besides the bridges'. */
  readonly dnsListen: readonly ListenAddress[];
  /** Whether containers are served on the bridges. */
  readonly dns: boolean;
  readonly dnsCache: boolean;
  readonly dnsBatches: boolean;
  readonly resolvConf: string;
  readonly forward: readonly Route[];
  readonly stopDnsRebind: boolean;
  readonly rebindOk: readonly string[];
  /** Consul's own DNS. */
  readonly consulDns?: Upstream | undefined;
  readonly ipallocRange: Cidr;
  readonly ip?: string | undefined;
}

/** The resolver as a whole: the chain of zones, and the sockets it is asked through. */
export class NameService {
  readonly #client: UpstreamClient;
  readonly #upstreams: Upstreams;
  readonly #responder: Responder;
  readonly #ask: (word: string) => Promise<readonly ZoneAnswer[]>;
  readonly #explicit: DnsServer;
  readonly #bridges: BridgeListeners | undefined;

  constructor(needs: NameServiceNeeds, settings: NameServiceSettings) {
    const { view, names, log } = needs;
    const local = new LocalNetworks();
    const zone = {
      ...SERVICE_ZONE_DEFAULTS,
      domain: settings.domain,
      ...(settings.altDomain !== undefined && { altDomain: settings.altDomain }),
      serviceTtl: settings.serviceTtl,
      nodeTtl: settings.nodeTtl,
      onlyPassing: settings.onlyPassing,
      // Read at every question: a Consul agent that was away tells them later.
      get datacenter() {
        return settings.datacenter ?? needs.node().datacenter;
      },
      get node() {
        return needs.node().name;
      },
      get nodeAddress() {
        return needs.node().address;
      },
    };
    // Other resolvers of this host, as on 127.0.0.53, are good upstreams; only ourselves must not be asked.
    const isHost = (ip: string) => local.isOwn(ip);
    const isOwn = (upstream: Upstream) =>
      this.listeners().some(
        ({ address, state }) => state === 'listening' && listensAt(address, upstream, isHost),
      );
    // The system does not list the networks of a bridge without containers; who asks from an address that we answer
    // on is this host all the same.
    const isLocal = (ip: string) =>
      local.includes(ip) || this.listeners().some(({ address }) => address.ip === ip);
    const upstreams = new Upstreams({ isOwn, log }, settings.resolvConf);
    const client = new UpstreamClient({ mayAskUs: ({ ip }) => mayLeadBack(ip) || isLocal(ip) });
    this.#client = client;
    this.#upstreams = upstreams;
    const { domain, altDomain, weaveDomain, consulDns } = settings;
    const ownDomains = [domain, weaveDomain, altDomain ?? []].flat();
    // The operator trusts the servers of --forward with their domains.
    const exceptions = [...settings.rebindOk, ...settings.forward.map(({ domain: routed }) => routed)];
    const guard = settings.stopDnsRebind
      ? new RebindingGuard({ log }, { exceptions, ownDomains })
      : undefined;
    const forward = new ForwardZone(
      { upstreams, client, isLocal, isOwn, guard },
      { ownDomains, routes: settings.forward },
    );
    const consul = consulDns && consulNames({ client, isOwn }, consulDns);
    const weave = new WeaveZone({ names }, { domain: weaveDomain });
    const others: OtherNames = {
      resolve: async (question) => weave.resolve(question) ?? aliases.resolve(question),
    };
    // What is published is announced at this host's own address.
    const isPublished = (ip: string) => local.isOwn(ip) || ip === settings.ip || ip === needs.node().address;
    const has = (service: Service, ip: string) => needs.has(service, ip) || isPublished(ip);
    const own: readonly Zone[] = [
      ...(consul ? [new ConsulZone({ consul }, zone)] : []),
      new ServiceZone({ view, hostRecords: (host, asker) => hostRecords(others, host, asker) }, zone),
      weave,
      new ReverseZone({ view, names, consul, has, networks: () => needs.networks() }, zone, [
        formatCidr(settings.ipallocRange),
      ]),
    ];
    const aliases = new AliasZone({ others: forward, own }, { ownDomains });
    const isRouted = (name: string) => serversFor(settings.forward, name).length > 0;
    const zones: readonly Zone[] = [
      new SpecialUseZone(SPECIAL_NAMES, { isRouted }),
      new FirstLook(() => needs.known()),
      ...own,
      new SpecialUseZone(SPECIAL_REVERSE_NAMES, { isRouted }),
      aliases,
    ];
    const resolver = new Resolver({ zones, log });
    this.#ask = (word) =>
      askZones(word, resolver, { domain, altDomain, weaveDomain, datacenter: zone.datacenter });
    const responder = new Responder({
      resolver,
      recursionFor: isLocal,
      limit: new RateLimit(isLocal),
      ...(settings.dnsCache && { cache: new AnswerCache() }),
      log,
    });
    this.#responder = responder;
    const udp = { batched: settings.dnsBatches };
    this.#explicit = new DnsServer({ responder, log }, { listen: settings.dnsListen, udp });
    const given = new Set(settings.dnsListen.filter(({ port }) => port === 53).map(({ ip }) => ip));
    const addresses = async () => (await needs.bridgeAddresses()).filter((ip) => !given.has(ip));
    this.#bridges = settings.dns ? new BridgeListeners({ responder, addresses, log }, udp) : undefined;
  }

  /** Resolves when every address has been tried: one that another program has is no reason not to do all else. */
  async start(): Promise<void> {
    await this.#explicit.start();
    await this.#bridges?.start();
  }

  async stop(): Promise<void> {
    await this.#bridges?.stop();
    await this.#explicit.stop();
    this.#client.stop();
  }

  /** Answers on what the bridges have now; resolves when it does, or it is known why not. */
  async listenOnBridges(): Promise<void> {
    await this.#bridges?.look();
  }

  /** What a container of this host is answered: the addresses of a name, or the name of an address. */
  lookUp(word: string): Promise<readonly string[]> {
    return lookUp(word, (query) => this.#responder.respond(query, '127.0.0.1', 'tcp'));
  }

  /** What a word means to DNS: each name that it can stand for, what is answered, and which zone does. */
  ask(word: string): Promise<readonly ZoneAnswer[]> {
    return this.#ask(word);
  }

  /** The servers that other names are asked from now. */
  async upstreams(): Promise<readonly string[]> {
    return (await this.#upstreams.current()).servers.map(({ ip }) => ip);
  }

  listeners(): readonly ListenerStatus[] {
    return [...(this.#bridges?.status() ?? []), ...this.#explicit.status().listeners];
  }

  /** Why we do not answer on port 53 of an address, although we should. */
  troubleAt(ip: string): string | undefined {
    const there = this.listeners().filter(({ address }) => address.ip === ip && address.port === 53);
    return there.find(({ state }) => state === 'failed')?.why;
  }
}

/** What Consul's own DNS answers, remembered for as long as it says; asked on anybody's behalf: its names are ours. */
function consulNames(needs: Pick<ForwardNeeds, 'client' | 'isOwn'>, server: Upstream): OtherNames {
  const upstreams = { current: async () => ({ servers: needs.isOwn(server) ? [] : [server] }) };
  const asked = new ForwardZone({ ...needs, upstreams, isLocal: () => true }, { ownDomains: [] });
  return { resolve: (question) => asked.resolve({ ...question, recursionDesired: true }) };
}

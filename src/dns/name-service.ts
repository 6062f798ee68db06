import type { Logger } from '../runtime/log.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import { mayQueryUs } from './forward/loop-mark.ts';
import { UpstreamClient } from './forward/upstream/client.ts';
import { type Upstream, Upstreams } from './forward/upstreams.ts';
import { type ListenAddress, listensAt } from './listen.ts';
import { LocalNetworks } from './local-networks.ts';
import { lookUp } from './lookup.ts';
import { Resolver } from './resolve.ts';
import { Responder } from './responder.ts';
import { BridgeListeners } from './server/bridges.ts';
import type { ListenerStatus } from './server/listener.ts';
import { RateLimit } from './server/rate-limit.ts';
import { DnsServer } from './server/server.ts';
import { askZones, type ZoneAnswer } from './zone-answer.ts';
import { type ZoneChainSettings, type ZoneSources, zoneChain } from './zone-chain.ts';

export interface NameServiceNeeds extends ZoneSources {
  /** The addresses of the bridges, now. */
  bridgeAddresses(): Promise<readonly string[]>;
  readonly log: Logger;
}

/** The settings that the resolver reads. */
export interface NameServiceSettings extends ZoneChainSettings {
  /** Addresses that the operator configured, besides those of the bridges. */
  readonly dnsListen: readonly ListenAddress[];
  /** Whether containers are served on the bridges. */
  readonly dns: boolean;
  readonly dnsCache: boolean;
  readonly dnsBatches: boolean;
  readonly resolvConf: string;
}

const DNS_PORT = 53;

/** The complete resolver: the sockets that receive questions, and the chain of zones that answers them. */
export class NameService {
  readonly #client: UpstreamClient;
  readonly #upstreams: Upstreams;
  readonly #responder: Responder;
  readonly #ask: (nameOrAddress: string) => Promise<readonly ZoneAnswer[]>;
  readonly #configured: DnsServer;
  readonly #bridges: BridgeListeners | undefined;

  constructor(needs: NameServiceNeeds, settings: NameServiceSettings) {
    const { log } = needs;
    const local = new LocalNetworks();
    const isHostAddress = (ip: string) => local.isOwn(ip);
    // Other resolvers of this host, as on 127.0.0.53, are good upstreams; only our own listeners must not be asked.
    const isOwn = (upstream: Upstream) =>
      this.listeners().some(
        ({ address, state }) => state === 'listening' && listensAt(address, upstream, isHostAddress),
      );
    // The system does not list the networks of a bridge without containers. A client whose address is one of our
    // listen addresses is this host all the same.
    const isLocal = (ip: string) =>
      local.includes(ip) || this.listeners().some(({ address }) => address.ip === ip);
    const upstreams = new Upstreams({ isOwn, log }, settings.resolvConf);
    const client = new UpstreamClient({ mayQueryUs: ({ ip }) => mayQueryUs(ip) || isLocal(ip) });
    this.#client = client;
    this.#upstreams = upstreams;

    const zones = zoneChain(needs, { upstreams, client, isLocal, isOwn, isHostAddress }, settings);
    const resolver = new Resolver({ zones, log });
    this.#ask = (nameOrAddress) => {
      const { domain, altDomain, weaveDomain, datacenter = needs.node().datacenter } = settings;
      return askZones(nameOrAddress, resolver, { domain, altDomain, weaveDomain, datacenter });
    };
    const responder = new Responder({
      resolver,
      recursionFor: isLocal,
      limit: new RateLimit(isLocal),
      ...(settings.dnsCache && { cache: new AnswerCache() }),
      log,
    });
    this.#responder = responder;
    const udp = { batched: settings.dnsBatches };
    this.#configured = new DnsServer({ responder, log }, { listen: settings.dnsListen, udp });
    const configured = new Set(
      settings.dnsListen.filter(({ port }) => port === DNS_PORT).map(({ ip }) => ip),
    );
    const addresses = async () => (await needs.bridgeAddresses()).filter((ip) => !configured.has(ip));
    this.#bridges = settings.dns ? new BridgeListeners({ responder, addresses, log }, udp) : undefined;
  }

  /** Resolves when every address has been tried. Does not throw when another program has one of them. */
  async start(): Promise<void> {
    await this.#configured.start();
    await this.#bridges?.start();
  }

  async stop(): Promise<void> {
    await this.#bridges?.stop();
    await this.#configured.stop();
    this.#client.stop();
  }

  /** Listens on the bridges' current addresses; resolves when each listens or its failure is known. */
  async listenOnBridges(): Promise<void> {
    await this.#bridges?.scan();
  }

  /** The answer that a container of this host gets: the addresses of a name, or the name of an address. */
  lookUp(nameOrAddress: string): Promise<readonly string[]> {
    return lookUp(nameOrAddress, (query) => this.#responder.respond(query, '127.0.0.1', 'tcp'));
  }

  /** Each DNS name that the text can mean, with its answer and the zone that gives it. */
  ask(nameOrAddress: string): Promise<readonly ZoneAnswer[]> {
    return this.#ask(nameOrAddress);
  }

  /** The current upstream servers for names outside our own domains. */
  async upstreams(): Promise<readonly string[]> {
    return (await this.#upstreams.current()).servers.map(({ ip }) => ip);
  }

  listeners(): readonly ListenerStatus[] {
    return [...(this.#bridges?.status() ?? []), ...this.#configured.status().listeners];
  }

  /** Why port 53 of an address does not answer, although it should. */
  troubleAt(ip: string): string | undefined {
    const there = this.listeners().filter(({ address }) => address.ip === ip && address.port === DNS_PORT);
    return there.find(({ state }) => state === 'failed')?.why;
  }
}

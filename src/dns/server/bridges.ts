import { messageOf } from '../../errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { ListenerStatus } from './listener.ts';
import { DnsServer, type DnsServerNeeds } from './server.ts';
import type { UdpOptions } from './udp.ts';

const DNS_PORT = 53;
/** How soon heddle listens on a new bridge, or on a bridge's new address. */
const SCAN_MS = 1_000;

export interface BridgeListenersNeeds extends DnsServerNeeds {
  /** The current addresses of the bridges. */
  addresses(): Promise<readonly string[]>;
  readonly log: Logger;
}

/**
 * Listens on the addresses of bridges, which come and go: Docker's bridge appears when its engine starts, ours when
 * it is first needed.
 */
export class BridgeListeners {
  readonly #needs: BridgeListenersNeeds;
  readonly #udp: UdpOptions;
  readonly #servers = new Map<string, DnsServer>();
  #timer: NodeJS.Timeout | undefined;
  #scanning: Promise<void> = Promise.resolve();

  constructor(needs: BridgeListenersNeeds, udp: UdpOptions = {}) {
    this.#needs = needs;
    this.#udp = udp;
  }

  /** Resolves when every current bridge address has been tried. */
  async start(): Promise<void> {
    await this.#scan();
    this.#timer = setInterval(() => void this.scan(), SCAN_MS);
  }

  /** Resolves when every current bridge address has been tried. Never throws. */
  scan(): Promise<void> {
    this.#scanning = this.#scanning
      .then(() => this.#scan())
      .catch((error: unknown) => {
        this.#needs.log.debug({ error: messageOf(error) }, 'cannot read the bridge addresses; retrying');
      });
    return this.#scanning;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#scanning;
    await Promise.all(Array.from(this.#servers.values(), (server) => server.stop()));
    this.#servers.clear();
  }

  status(): readonly ListenerStatus[] {
    return [...this.#servers.values()].flatMap((server) => server.status().listeners);
  }

  async #scan(): Promise<void> {
    const addresses = new Set(await this.#needs.addresses());
    for (const [ip, server] of this.#servers) {
      if (addresses.has(ip)) continue;
      this.#servers.delete(ip);
      this.#needs.log.info({ address: ip }, 'bridge address removed; no longer answering DNS there');
      await server.stop();
    }
    for (const ip of addresses) {
      if (this.#servers.has(ip)) continue;
      const server = new DnsServer(this.#needs, { listen: [{ ip, port: DNS_PORT }], udp: this.#udp });
      this.#servers.set(ip, server);
      await server.start();
    }
  }
}

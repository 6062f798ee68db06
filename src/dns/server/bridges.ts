import { messageOf } from '../../errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { ListenerStatus } from './listener.ts';
import { DnsServer, type DnsServerNeeds } from './server.ts';
import type { UdpOptions } from './udp.ts';

const DNS_PORT = 53;
/** How soon a bridge that is made, or given another address, is listened on. */
const LOOK_MS = 1_000;

export interface BridgeListenersNeeds extends DnsServerNeeds {
  /** The addresses that the bridges have now. */
  addresses(): Promise<readonly string[]>;
  readonly log: Logger;
}

/**
 * Answers on the addresses of bridges, which come and go: Docker's is made when its engine starts, ours when it is
 * told to.
 */
export class BridgeListeners {
  readonly #needs: BridgeListenersNeeds;
  readonly #udp: UdpOptions;
  readonly #servers = new Map<string, DnsServer>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(needs: BridgeListenersNeeds, udp: UdpOptions = {}) {
    this.#needs = needs;
    this.#udp = udp;
  }

  /** Resolves when the bridges that are there now have been tried. */
  async start(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => void this.scan(), LOOK_MS);
  }

  /** Resolves when the bridges that are there now have been tried. Never throws. */
  scan(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((error: unknown) => {
        this.#needs.log.debug({ error: messageOf(error) }, 'could not look for bridges');
      });
    return this.#looking;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all(Array.from(this.#servers.values(), (server) => server.stop()));
    this.#servers.clear();
  }

  status(): readonly ListenerStatus[] {
    return [...this.#servers.values()].flatMap((server) => server.status().listeners);
  }

  async #look(): Promise<void> {
    const addresses = new Set(await this.#needs.addresses());
    for (const [ip, server] of this.#servers) {
      if (addresses.has(ip)) continue;
      this.#servers.delete(ip);
      this.#needs.log.info({ address: ip }, 'the bridge is gone; no DNS there');
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

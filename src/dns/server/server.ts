import type { ListenAddress } from '../listen.ts';
import type { DnsCounters } from './counters.ts';
import { Listener, type ListenerStatus } from './listener.ts';
import { type Respond, TCP_LIMITS, type TcpLimits } from './tcp.ts';
import type { UdpOptions } from './udp.ts';

export interface DnsServerNeeds {
  readonly responder: { readonly respond: Respond; readonly counters: DnsCounters };
}

export interface DnsServerOptions {
  readonly listen: readonly DnsListen[];
  readonly tcp?: TcpLimits;
  readonly udp?: UdpOptions;
}

export interface DnsListen extends ListenAddress {
  /** Whether start() fails where this address is taken; one that does not exist yet is always waited for. */
  readonly required: boolean;
}

export interface DnsServerStatus {
  readonly listeners: readonly ListenerStatus[];
  readonly counters: DnsCounters;
}

/** The sockets of the resolver: UDP and TCP on each of its addresses. */
export class DnsServer {
  readonly #needs: DnsServerNeeds;
  readonly #options: DnsServerOptions;
  #listeners: readonly Listener[] = [];

  constructor(needs: DnsServerNeeds, options: DnsServerOptions) {
    this.#needs = needs;
    this.#options = options;
  }

  /**
   * Resolves when every address is bound or waited for. Throws `taken`, `not-permitted` or `failed` for a required
   * address, and listens on none then.
   */
  async start(): Promise<void> {
    const { responder } = this.#needs;
    const { listen, tcp = TCP_LIMITS, udp = {} } = this.#options;
    const respond: Respond = (packet, client, transport) => responder.respond(packet, client, transport);
    this.#listeners = listen.map(
      (address) => new Listener({ ip: address.ip, port: address.port }, respond, { tcp, udp }),
    );
    const errors = await Promise.all(this.#listeners.map((listener) => listener.start()));
    const fatal = errors.find(
      (error, index) => error && error.code !== 'unreachable' && listen[index]?.required,
    );
    if (!fatal) return;
    await this.stop();
    throw fatal;
  }

  /** Closes every socket; may be called at any time, and again. */
  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
  }

  status(): DnsServerStatus {
    return {
      listeners: this.#listeners.map(({ status }) => status),
      counters: this.#needs.responder.counters,
    };
  }
}

import type { Logger } from '../../runtime/log.ts';
import type { ListenAddress } from '../listen.ts';
import { Listener, type ListenerStatus } from './listener.ts';
import { type Respond, TCP_LIMITS, type TcpLimits } from './tcp.ts';
import type { UdpOptions } from './udp.ts';

export interface DnsServerNeeds {
  readonly responder: { readonly respond: Respond };
  readonly log: Pick<Logger, 'info' | 'error'>;
}

export interface DnsServerOptions {
  readonly listen: readonly ListenAddress[];
  readonly tcp?: TcpLimits;
  readonly udp?: UdpOptions;
}

export interface DnsServerStatus {
  readonly listeners: readonly ListenerStatus[];
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

  /** Resolves when every address has been tried; failed ones are retried in the background. */
  async start(): Promise<void> {
    const { responder, log } = this.#needs;
    const { listen, tcp = TCP_LIMITS, udp = {} } = this.#options;
    const respond: Respond = (packet, client, transport) => responder.respond(packet, client, transport);
    this.#listeners = listen.map((address) => new Listener(address, { respond, log }, { tcp, udp }));
    await Promise.all(this.#listeners.map((listener) => listener.start()));
  }

  /** Closes every socket; may be called at any time, and more than once. */
  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
  }

  status(): DnsServerStatus {
    return { listeners: this.#listeners.map(({ status }) => status) };
  }
}

import { messageOf, systemCode } from '../../errors.ts';
import { type Backoff, backoff, WITHOUT_JITTER } from '../../runtime/backoff.ts';
import type { Logger } from '../../runtime/log.ts';
import { pause } from '../../runtime/pause.ts';
import { formatListen, type ListenAddress } from '../listen.ts';
import { type Respond, type TcpLimits, TcpListener } from './tcp.ts';
import { UdpListener, type UdpOptions } from './udp.ts';

/**
 * `listening`; `waiting` for its address to appear; or `failed`, for a reason that the operator has to resolve. Both
 * of the latter are retried.
 */
export interface ListenerStatus {
  /** With the port that was bound, if port 0 was configured. */
  readonly address: ListenAddress;
  readonly state: 'listening' | 'waiting' | 'failed';
  readonly why?: string;
  /** Whether each system call receives many UDP datagrams there. */
  readonly isBatched?: boolean;
}

export interface ListenerNeeds {
  readonly respond: Respond;
  readonly log: Pick<Logger, 'info' | 'error'>;
}

export interface ListenerOptions {
  readonly tcp: TcpLimits;
  readonly udp: UdpOptions;
}

/** Between attempts to bind. */
const RETRY: Backoff = { first: 50, longest: 1_000 };
/** With port 0, the port assigned to TCP may be in use for UDP; this many ports are tried. */
const PORT_ATTEMPTS = 10;

/**
 * UDP and TCP on one address. The address may not exist yet: a bridge is often created after the daemon starts. Or
 * another program may use the port: once it stops, no restart of heddle is needed.
 */
export class Listener {
  readonly #udp: UdpListener;
  readonly #tcp: TcpListener;
  readonly #log: ListenerNeeds['log'];
  readonly #stopping = new AbortController();
  #status: ListenerStatus;
  #retrying: Promise<void> | undefined;

  constructor(address: ListenAddress, { respond, log }: ListenerNeeds, options: ListenerOptions) {
    this.#log = log;
    this.#udp = new UdpListener(respond, options.udp);
    this.#tcp = new TcpListener(respond, options.tcp);
    this.#status = { address, state: 'waiting', why: 'not started' };
  }

  get status(): ListenerStatus {
    return this.#status;
  }

  /** Resolves after the first attempt; if that fails, retries in the background. */
  async start(): Promise<void> {
    if (!(await this.#attempt())) this.#retrying = this.#retry();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#retrying;
    await this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all([this.#udp.close(), this.#tcp.close()]);
  }

  async #retry(): Promise<void> {
    for (let failures = 1; !this.#stopping.signal.aborted; failures++) {
      await pause(backoff(failures, RETRY, WITHOUT_JITTER), this.#stopping.signal);
      if (this.#stopping.signal.aborted || (await this.#attempt())) return;
    }
  }

  async #attempt(): Promise<boolean> {
    const { address } = this.#status;
    try {
      const port = await this.#bind(address);
      if (this.#stopping.signal.aborted) await this.#close();
      this.#status = { address: { ...address, port }, state: 'listening', isBatched: this.#udp.isBatched };
      this.#log.info({ address: formatListen(this.#status.address) }, 'answering DNS');
      return true;
    } catch (error) {
      this.#fail({ address, ...reasonOf(address, error) });
      return false;
    }
  }

  /** Logs a failure once, however often the attempt is repeated. */
  #fail(status: ListenerStatus): void {
    const isNew = status.why !== this.#status.why;
    this.#status = status;
    if (!isNew) return;
    if (status.state === 'failed') this.#log.error(status.why);
    else this.#log.info(`${status.why}; DNS starts there once one has`);
  }

  async #bind(address: ListenAddress): Promise<number> {
    for (let draw = 1; ; draw += 1) {
      const port = await this.#tcp.listen(address);
      try {
        return await this.#udp.listen({ ...address, port });
      } catch (error) {
        await this.#tcp.close();
        if (address.port !== 0 || systemCode(error) !== 'EADDRINUSE' || draw === PORT_ATTEMPTS) throw error;
      }
    }
  }
}

function reasonOf(address: ListenAddress, error: unknown): Omit<ListenerStatus, 'address'> {
  const failed = `cannot answer DNS on ${formatListen(address)}`;
  switch (systemCode(error)) {
    case 'EADDRNOTAVAIL':
      return { state: 'waiting', why: `no interface of this host has ${address.ip} yet` };
    case 'EADDRINUSE': {
      const finder = `ss -lntup 'sport = :${address.port}'`;
      const why = `${failed}: another program has that port (\`${finder}\` shows it); retrying until it is free`;
      return { state: 'failed', why };
    }
    case 'EACCES': {
      const why = `${failed}: ports below 1024 need root or the capability NET_BIND_SERVICE`;
      return { state: 'failed', why };
    }
    default:
      return { state: 'failed', why: `${failed}: ${messageOf(error)}` };
  }
}

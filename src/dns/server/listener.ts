import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError, messageOf, systemCode } from '../../errors.ts';
import { formatListen, type ListenAddress } from '../listen.ts';
import { type Respond, type TcpLimits, TcpListener } from './tcp.ts';
import { UdpListener, type UdpOptions } from './udp.ts';

/** `listening`; `waiting` for its address to appear; or `failed`, for a reason that somebody has to see to. */
export interface ListenerStatus {
  /** With the port that was bound, where 0 was asked for. */
  readonly address: ListenAddress;
  readonly state: 'listening' | 'waiting' | 'failed';
  readonly why?: string;
  /** Whether UDP is taken many datagrams at a time there. */
  readonly isBatched?: boolean;
}

export interface ListenerOptions {
  readonly tcp: TcpLimits;
  readonly udp: UdpOptions;
}

/** Pauses between attempts to bind, in milliseconds: doubled from the first to the last. */
const [FIRST_PAUSE_MS, LAST_PAUSE_MS] = [50, 1_000];
/** With port 0, the port that TCP was given may be taken for UDP; another one is drawn so often. */
const DRAWS = 10;

/** UDP and TCP on one address, which may not exist yet: a bridge is often created after the daemon. */
export class Listener {
  readonly #udp: UdpListener;
  readonly #tcp: TcpListener;
  readonly #stopping = new AbortController();
  #status: ListenerStatus;
  #retrying: Promise<void> | undefined;

  constructor(address: ListenAddress, respond: Respond, options: ListenerOptions) {
    this.#udp = new UdpListener(respond, options.udp);
    this.#tcp = new TcpListener(respond, options.tcp);
    this.#status = { address, state: 'waiting', why: 'not started' };
  }

  get status(): ListenerStatus {
    return this.#status;
  }

  /** Tries once, and goes on trying in the background while it fails. Resolves with the first error, if any. */
  async start(): Promise<HeddleError | undefined> {
    const error = await this.#attempt();
    if (error) this.#retrying = this.#retry();
    return error;
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
    let pause = FIRST_PAUSE_MS;
    while (!this.#stopping.signal.aborted) {
      await delay(pause, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted || !(await this.#attempt())) return;
      pause = Math.min(pause * 2, LAST_PAUSE_MS);
    }
  }

  async #attempt(): Promise<HeddleError | undefined> {
    const { address } = this.#status;
    try {
      const port = await this.#bind(address);
      if (this.#stopping.signal.aborted) await this.#close();
      this.#status = { address: { ...address, port }, state: 'listening', isBatched: this.#udp.isBatched };
      return undefined;
    } catch (cause) {
      const error = listenError(address, cause);
      const state = systemCode(cause) === 'EADDRNOTAVAIL' ? 'waiting' : 'failed';
      this.#status = { address, state, why: error.message };
      return error;
    }
  }

  async #bind(address: ListenAddress): Promise<number> {
    for (let draw = 1; ; draw += 1) {
      const port = await this.#tcp.listen(address);
      try {
        return await this.#udp.listen({ ...address, port });
      } catch (error) {
        await this.#tcp.close();
        if (address.port !== 0 || systemCode(error) !== 'EADDRINUSE' || draw === DRAWS) throw error;
      }
    }
  }
}

function listenError(address: ListenAddress, cause: unknown): HeddleError {
  const place = formatListen(address);
  switch (systemCode(cause)) {
    case 'EADDRNOTAVAIL':
      return new HeddleError('unreachable', `no interface of this host has ${address.ip} yet`, { cause });
    case 'EADDRINUSE':
      return new HeddleError(
        'taken',
        `cannot answer DNS on ${place}: another program has that port; ` +
          `\`ss -lntup 'sport = :${address.port}'\` shows which one`,
        { cause },
      );
    case 'EACCES':
      return new HeddleError(
        'not-permitted',
        `cannot answer DNS on ${place}: ports below 1024 need root or the capability NET_BIND_SERVICE`,
        { cause },
      );
    default:
      return new HeddleError('failed', `cannot answer DNS on ${place}: ${messageOf(cause)}`, { cause });
  }
}

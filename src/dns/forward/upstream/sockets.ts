import type { Upstream } from '../upstreams.ts';
import type { OutgoingQuery } from './outgoing.ts';
import { randomByte } from './random.ts';
import { type SocketLife, UpstreamSocket } from './socket.ts';

export interface UpstreamSocketsOptions {
  /** Sockets of one upstream that take questions at the same time; at most 256. */
  readonly each?: number;
  readonly life?: SocketLife;
}

/**
 * The sockets by which upstreams are asked over UDP, some for each: a new socket a question costs as much again as
 * the question. Which of them carries a question is drawn, and none is used for long.
 */
export class UpstreamSockets {
  readonly #each: number;
  readonly #life: SocketLife;
  /** Those that take questions. An upstream that is asked no more leaves nothing behind. */
  readonly #pools = new WeakMap<Upstream, UpstreamSocket[]>();
  /** Also those that take no more questions. */
  readonly #open = new Set<UpstreamSocket>();

  constructor({ each = 16, life = { queries: 256, milliseconds: 60_000 } }: UpstreamSocketsOptions = {}) {
    this.#each = each;
    this.#life = life;
  }

  /** Asks by one of the upstream's sockets. Rejects with `unreachable` when no reply has come in time. */
  ask(upstream: Upstream, query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    return this.#socketTo(upstream).ask(query, timeoutMs);
  }

  /** Closes all; what waits fails. */
  stop(): void {
    for (const socket of [...this.#open]) socket.close('no answer in time: heddle stops');
  }

  #socketTo(upstream: Upstream): UpstreamSocket {
    const pool = this.#pools.get(upstream) ?? [];
    this.#pools.set(upstream, pool);
    if (pool.length < this.#each) {
      const next = this.#opened(upstream);
      pool.push(next);
      return next;
    }
    const drawn = randomByte() % pool.length;
    const socket = pool[drawn] as UpstreamSocket;
    if (socket.isUsable) return socket;
    // Its life is over; another one has its place.
    const next = this.#opened(upstream);
    pool[drawn] = next;
    return next;
  }

  #opened(upstream: Upstream): UpstreamSocket {
    const socket = new UpstreamSocket(upstream, this.#life, (closed) => this.#open.delete(closed));
    // One that could not be opened is closed already.
    if (socket.isUsable) this.#open.add(socket);
    return socket;
  }
}

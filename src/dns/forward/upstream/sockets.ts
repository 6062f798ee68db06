import type { Upstream } from '../upstreams.ts';
import type { OutgoingQuery } from './outgoing.ts';
import { randomByte } from './random.ts';
import { type SocketLife, UpstreamSocket } from './socket.ts';

export interface UpstreamSocketsOptions {
  /** Sockets for each upstream server that accept queries at the same time; at most 256. */
  readonly each?: number;
  readonly life?: SocketLife;
}

/**
 * The UDP sockets to upstream servers, several for each: a new socket for each query would double its cost. A query uses
 * a random one of them, and no socket is used for long.
 */
export class UpstreamSockets {
  readonly #each: number;
  readonly #life: SocketLife;
  /** Sockets that accept queries. The map is weak: an upstream server that is no longer used leaves nothing behind. */
  readonly #pools = new WeakMap<Upstream, UpstreamSocket[]>();
  /** All open sockets, also those that accept no more queries. */
  readonly #open = new Set<UpstreamSocket>();

  constructor({ each = 16, life = { queries: 256, milliseconds: 60_000 } }: UpstreamSocketsOptions = {}) {
    this.#each = each;
    this.#life = life;
  }

  /** Sends a query by one of the server's sockets. @throws HeddleError `unreachable` if no reply comes in time */
  ask(upstream: Upstream, query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    return this.#socketTo(upstream).ask(query, timeoutMs);
  }

  /** Closes all sockets; waiting queries fail. */
  stop(): void {
    for (const socket of [...this.#open]) socket.close('no answer in time: heddle is stopping');
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
    // Its life is over; a new socket replaces it.
    const next = this.#opened(upstream);
    pool[drawn] = next;
    return next;
  }

  #opened(upstream: Upstream): UpstreamSocket {
    const socket = new UpstreamSocket(upstream, this.#life, (closed) => this.#open.delete(closed));
    // A socket that could not be opened is already closed.
    if (socket.isUsable) this.#open.add(socket);
    return socket;
  }
}

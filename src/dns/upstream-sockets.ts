import { randomInt } from 'node:crypto';
import { formatListen } from './listen.ts';
import type { OutgoingQuery } from './outgoing.ts';
import { type SocketLife, UpstreamSocket } from './upstream-socket.ts';
import type { Upstream } from './upstreams.ts';

export interface UpstreamSocketsOptions {
  /** Sockets of one upstream that take questions at the same time. */
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
  readonly #pools = new Map<string, UpstreamSocket[]>();
  /** Also those that take no more questions. */
  readonly #open = new Set<UpstreamSocket>();

  constructor({ each = 16, life = { queries: 256, milliseconds: 60_000 } }: UpstreamSocketsOptions = {}) {
    this.#each = each;
    this.#life = life;
  }

  /** Asks by one of the upstream's sockets. Rejects with `unreachable` when no reply has come in time. */
  ask(upstream: Upstream, query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    const name = formatListen(upstream);
    const pool = (this.#pools.get(name) ?? []).filter((socket) => socket.isUsable);
    this.#pools.set(name, pool);
    const drawn = pool.length < this.#each ? undefined : pool[randomInt(pool.length)];
    return (drawn ?? this.#openTo(upstream, name, pool)).ask(query, timeoutMs);
  }

  /** Closes all; what waits fails. */
  stop(): void {
    for (const socket of [...this.#open]) socket.close('no answer in time: heddle stops');
  }

  #openTo(upstream: Upstream, name: string, pool: UpstreamSocket[]): UpstreamSocket {
    const socket = new UpstreamSocket(upstream, this.#life, () => {
      this.#open.delete(socket);
      // An upstream that is asked no more leaves nothing behind.
      if (!this.#pools.get(name)?.some((other) => other.isUsable)) this.#pools.delete(name);
    });
    this.#open.add(socket);
    pool.push(socket);
    return socket;
  }
}

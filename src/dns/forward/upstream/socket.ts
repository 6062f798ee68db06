import type { Socket } from 'node:dgram';
import { type HeddleError, messageOf } from '../../../errors.ts';
import { formatListen } from '../../listen.ts';
import { openSocket } from '../../server/udp.ts';
import { unanswered } from '../unanswered.ts';
import type { Upstream } from '../upstreams.ts';
import { type OutgoingQuery, redrawId } from './outgoing.ts';
import { judge } from './verdict.ts';

/** How long one socket is used: a forger has to guess its port, and every query leaks information about it. */
export interface SocketLife {
  readonly queries: number;
  readonly milliseconds: number;
}

interface Waiting {
  readonly query: OutgoingQuery;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (reply: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One UDP socket to one upstream server. It is connected, so that the kernel drops packets of other senders and reports
 * refusals. The kernel chooses a random port. The socket carries many queries at once, and closes itself when its life
 * is over and its last query has ended.
 */
export class UpstreamSocket {
  readonly #upstream: Upstream;
  readonly #closed: (socket: UpstreamSocket) => void;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #end: NodeJS.Timeout;
  /** Queries from before the socket was connected. */
  #unsent: Buffer[] | undefined = [];
  #left: number;
  #isClosed = false;
  #whyClosed = '';
  /** One error object for all timeouts: a domain with a silent server may cause hundreds a second. */
  readonly #late: HeddleError;

  /** @param closed called once, when the socket is closed: before the constructor returns if it cannot be opened */
  constructor(upstream: Upstream, life: SocketLife, closed: (socket: UpstreamSocket) => void) {
    this.#upstream = upstream;
    this.#closed = closed;
    this.#left = life.queries;
    this.#late = this.#unreachable('no answer in time');
    this.#socket = openSocket(upstream.ip);
    this.#socket.on('message', (reply) => this.#receive(reply));
    this.#socket.on('error', (error) => this.close(messageOf(error)));
    this.#socket.on('connect', () => {
      if (this.#isClosed) return;
      const unsent = this.#unsent ?? [];
      this.#unsent = undefined;
      for (const message of unsent) this.#socket.send(message);
    });
    this.#socket.connect(upstream.port, upstream.ip);
    this.#end = setTimeout(() => this.#retire(), life.milliseconds).unref();
  }

  /** Whether the socket accepts another query. */
  get isUsable(): boolean {
    return this.#left > 0;
  }

  /** The reply to a query; its letter case may differ. @throws HeddleError `unreachable` if none comes in time */
  ask(query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    // Opening it may have failed.
    if (this.#isClosed) return Promise.reject(this.#unreachable(this.#whyClosed));
    this.#left -= 1;
    let id = query.message.readUInt16BE(0);
    while (this.#waiting.has(id)) id = redrawId(query);
    return new Promise((resolve, reject) => {
      const late = () => this.#settle(id)?.reject(this.#late);
      const timer = setTimeout(late, timeoutMs);
      this.#waiting.set(id, { query, timer, resolve, reject });
      if (this.#unsent) this.#unsent.push(query.message);
      else this.#socket.send(query.message);
    });
  }

  /** Closes immediately; waiting queries fail for this reason. */
  close(why: string): void {
    this.#left = 0;
    this.#whyClosed = why;
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(this.#unreachable(why));
    this.#closeIfDone();
  }

  #receive(reply: Buffer): void {
    if (reply.length < 2) return;
    const id = reply.readUInt16BE(0);
    const waiting = this.#waiting.get(id);
    // A message that does not answer the query is ignored: the real answer may still come.
    if (waiting && judge(waiting.query, reply) !== 'other') this.#settle(id)?.resolve(reply);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    this.#closeIfDone();
    return waiting;
  }

  /** Accepts no more queries, and closes as soon as none is waiting. */
  #retire(): void {
    this.#left = 0;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.isUsable || this.#waiting.size > 0 || this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#end);
    this.#socket.close();
    this.#closed(this);
  }

  #unreachable(why: string): HeddleError {
    return unanswered(`${formatListen(this.#upstream)}: ${why}`);
  }
}

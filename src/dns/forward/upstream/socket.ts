import type { Socket } from 'node:dgram';
import { type HeddleError, messageOf } from '../../../errors.ts';
import { formatListen } from '../../listen.ts';
import { openSocket } from '../../server/udp.ts';
import { unanswered } from '../unanswered.ts';
import type { Upstream } from '../upstreams.ts';
import { type OutgoingQuery, redrawId } from './outgoing.ts';
import { judge } from './verdict.ts';

/** How long one socket is used: its port is what a forger has to guess, and every query lets him learn. */
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
 * One UDP socket that knows one upstream: connected, so that the kernel lets nobody else in and tells of refusals; on
 * a port of the kernel's random choice. It carries many questions at once and closes by itself when its life is over
 * and its last question has ended.
 */
export class UpstreamSocket {
  readonly #upstream: Upstream;
  readonly #closed: (socket: UpstreamSocket) => void;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #end: NodeJS.Timeout;
  /** Questions that came before the socket was connected. */
  #unsent: Buffer[] | undefined = [];
  #left: number;
  #isClosed = false;
  #whyClosed = '';
  /** One for all: of a domain whose server is silent there may be hundreds a second. */
  readonly #late: HeddleError;

  /** @param closed called once, when the socket is of no more use: before this returns where it cannot be opened */
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

  /** Whether it takes another question. */
  get isUsable(): boolean {
    return this.#left > 0;
  }

  /** The reply to a query, its letters perhaps misspelt. Rejects with `unreachable` when none comes in time. */
  ask(query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    // It may have failed as it was opened.
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

  /** Ends at once; whatever waits fails for this reason. */
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
    // What does not answer the query is passed over: the true answer may still come.
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

  /** Takes no more questions, and closes as soon as none waits. */
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

import { connect } from 'node:net';
import { HeddleError, messageOf } from '../../../errors.ts';
import { formatListen } from '../../listen.ts';
import { FrameReader, frame } from '../../wire/frames.ts';
import type { Question } from '../../zone.ts';
import type { Upstream } from '../upstreams.ts';
import { inLowerCase, type OutgoingQuery } from './outgoing.ts';
import { MALFORMED, readCut, readError, readReply, type UpstreamReply } from './reply.ts';
import type { Server } from './servers.ts';
import { UpstreamSockets } from './sockets.ts';
import { isTruncated, judge } from './verdict.ts';

/** The maximum of a TCP frame. */
const MAX_ANSWER_BYTES = 65_535;
/** Bytes that are read from a connection to find the answer: one frame of maximum size, and some unrelated ones. */
const MAX_READ_BYTES = 4 * MAX_ANSWER_BYTES;
/** Limit on open TCP connections: an upstream server that truncates answers must not exhaust our descriptors. */
const MAX_CONNECTIONS = 128;

/** How long a query waits, in milliseconds. */
export interface Patience {
  /** The total wait from now, and its end on the clock of performance.now(). */
  readonly totalMs: number;
  readonly until: number;
  /** For the TCP retry of an answer that was truncated over UDP. */
  readonly tcpMs: number;
}

/** Too many connections are open; none was attempted. */
export class Busy extends HeddleError {
  constructor(connections: number) {
    super('unreachable', `too many connections: ${connections} to upstream servers are already open`);
  }
}

/**
 * One query to one upstream server and its reply: over UDP, and again over TCP if the answer is truncated, malformed or
 * changes the letter case. A server that changes the case and has no TCP is queried in lower case.
 */
export class Exchange {
  readonly #sockets = new UpstreamSockets();
  readonly #stopping = new AbortController();
  #connections = 0;

  /** @throws HeddleError `unreachable` if no answer comes in time */
  async ask(
    server: Server,
    question: Question,
    query: OutgoingQuery,
    patience: Patience,
  ): Promise<UpstreamReply> {
    const { abilities, upstream } = server;
    const isPlain = abilities.changesCase;
    const asked = isPlain ? inLowerCase(query) : query;
    const reply = await this.#sockets.ask(upstream, asked, Math.max(1, patience.totalMs));
    const verdict = judge(asked, reply);
    if (verdict === 'error') return readError(question, reply);
    const isCredible = verdict === 'answer' || (verdict === 'case-changed' && isPlain);
    const read = isCredible && !isTruncated(reply) ? readReply(question, reply) : undefined;
    if (read) return read;
    // A truncated answer is better than none.
    const cut = isCredible && isTruncated(reply) ? readCut(question, reply) : undefined;
    try {
      const whole = await this.askOverTcp(
        server,
        question,
        asked,
        Math.min(patience.tcpMs, leftOf(patience)),
      );
      return cut && whole.message === undefined ? { ...whole, cut } : whole;
    } catch (error) {
      if (cut) return cut;
      if (verdict !== 'case-changed' || isCredible) return MALFORMED;
      if (error instanceof Busy || this.#stopping.signal.aborted) throw error;
      abilities.markChangesCase();
      return await this.ask(server, question, query, { ...patience, totalMs: leftOf(patience) });
    }
  }

  /** The same over TCP only. */
  async askOverTcp(
    server: Server,
    question: Question,
    query: OutgoingQuery,
    totalMs: number,
  ): Promise<UpstreamReply> {
    if (this.#connections >= MAX_CONNECTIONS) throw new Busy(this.#connections);
    const late = AbortSignal.timeout(Math.max(0, Math.ceil(totalMs)));
    this.#connections += 1;
    try {
      const signal = AbortSignal.any([this.#stopping.signal, late]);
      const reply = await overTcp(server.upstream, query, signal);
      const verdict = judge(query, reply);
      if (verdict === 'error') return readError(question, reply);
      // An answer over TCP cannot be forged blindly, so its letter case need not match.
      const read = verdict === 'malformed' ? undefined : readReply(question, reply);
      if (read) return isTruncated(reply) ? { ...read, isCut: true } : read;
      return MALFORMED;
    } finally {
      this.#connections -= 1;
    }
  }

  /** Fails all queries in flight. */
  stop(): void {
    this.#stopping.abort();
    this.#sockets.stop();
  }
}

function leftOf({ until }: Patience): number {
  return until - performance.now();
}

/** Queries over a new connection. @throws HeddleError `unreachable` if no answer comes before `signal` aborts */
export async function overTcp(
  upstream: Upstream,
  query: OutgoingQuery,
  signal: AbortSignal,
): Promise<Buffer> {
  const socket = connect({ host: upstream.ip, port: upstream.port, noDelay: true });
  const frames = new FrameReader(MAX_ANSWER_BYTES);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const abort = () => reject(new Error('no answer in time'));
  let read = 0;
  socket.on('connect', () => socket.write(frame(query.message)));
  socket.on('data', (chunk) => {
    read += chunk.length;
    const reply = frames.push(chunk).find((message) => judge(query, message) !== 'other');
    if (reply) resolve(reply);
    else if (read > MAX_READ_BYTES) reject(new Error(`no answer in ${read} bytes`));
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('connection closed without an answer')));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await promise;
  } catch (cause) {
    const why = `${formatListen(upstream)}: ${messageOf(cause)}`;
    throw new HeddleError('unreachable', why, { cause });
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

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

/** What a TCP frame can hold. */
const MAX_ANSWER_BYTES = 65_535;
/** What is read of a connection in search of the answer: one frame of the largest size, and some that are none. */
const MAX_READ_BYTES = 4 * MAX_ANSWER_BYTES;
/** Connections to upstreams at the same time: an upstream must not use up our descriptors by cutting answers. */
const MAX_CONNECTIONS = 128;

/** How long a query waits, in milliseconds. */
export interface Patience {
  /** Until nothing more is awaited, from now and as performance.now() counts. */
  readonly totalMs: number;
  readonly until: number;
  /** For the whole of an answer that was cut over UDP. */
  readonly tcpMs: number;
}

/** No connection was tried. */
export class Busy extends HeddleError {
  constructor(connections: number) {
    super('unreachable', `${connections} connections to upstreams are open already`);
  }
}

/**
 * One query and its reply, with one upstream: over UDP, and again over TCP when the answer is cut, malformed or
 * misspelt. A server that misspells and has no TCP is asked in plain letters.
 */
export class Exchange {
  readonly #sockets = new UpstreamSockets();
  readonly #stopping = new AbortController();
  #connections = 0;

  /** Rejects with `unreachable` when no answer has come in time. */
  async ask(
    server: Server,
    question: Question,
    query: OutgoingQuery,
    patience: Patience,
  ): Promise<UpstreamReply> {
    const { manners, upstream } = server;
    const isPlain = manners.hasPlainLetters;
    const asked = isPlain ? inLowerCase(query) : query;
    const reply = await this.#sockets.ask(upstream, asked, Math.max(1, patience.totalMs));
    const verdict = judge(asked, reply);
    if (verdict === 'error') return readError(question, reply);
    const isCredible = verdict === 'answer' || (verdict === 'misspelt' && isPlain);
    const read = isCredible && !isTruncated(reply) ? readReply(question, reply) : undefined;
    if (read) return read;
    // A cut answer says more than none.
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
      if (verdict !== 'misspelt' || isCredible) return MALFORMED;
      if (error instanceof Busy || this.#stopping.signal.aborted) throw error;
      manners.keepsNoLetters();
      return await this.ask(server, question, query, { ...patience, totalMs: leftOf(patience) });
    }
  }

  /** The same over TCP alone. */
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
      // Nobody can forge what comes over a connection: letters are no proof that is needed.
      const read = verdict === 'malformed' ? undefined : readReply(question, reply);
      if (read) return isTruncated(reply) ? { ...read, isCut: true } : read;
      return MALFORMED;
    } finally {
      this.#connections -= 1;
    }
  }

  /** Gives up on all that is outstanding. */
  stop(): void {
    this.#stopping.abort();
    this.#sockets.stop();
  }
}

function leftOf({ until }: Patience): number {
  return until - performance.now();
}

/** Asks over a connection of its own. Rejects with `unreachable` when no answer has come before `signal` aborts. */
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

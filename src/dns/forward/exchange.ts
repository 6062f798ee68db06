import { connect } from 'node:net';
import { HeddleError, messageOf } from '../../errors.ts';
import { formatListen } from '../listen.ts';
import { FrameReader, frame } from '../wire/frames.ts';
import { inLowerCase, isTruncated, judge, type OutgoingQuery } from './outgoing.ts';
import { UpstreamSockets } from './upstream-sockets.ts';
import type { Upstream } from './upstreams.ts';

/** What a TCP frame can hold. */
const MAX_ANSWER_BYTES = 65_535;
/** Connections to upstreams at the same time: an upstream must not use up our descriptors by cutting answers. */
const MAX_CONNECTIONS = 128;
/** How long a server that keeps no letters is asked in plain ones, in milliseconds. */
const PLAIN_MS = 3_600_000;

/** No connection was tried. */
class Busy extends HeddleError {
  constructor(connections: number) {
    super('unreachable', `${connections} connections to upstreams are open already`);
  }
}

/**
 * One query and its reply, with one upstream: over UDP, and again over TCP when the answer is cut or misspelt. A server
 * that misspells and has no TCP is asked in plain letters.
 */
export class Exchange {
  readonly #sockets = new UpstreamSockets();
  readonly #stopping = new AbortController();
  /** When servers that neither keep letters nor answer over TCP are asked in random ones again. */
  readonly #plainUntil = new WeakMap<Upstream, number>();
  #connections = 0;

  /** Rejects with `unreachable` when no answer has come in time. */
  async ask(upstream: Upstream, query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs;
    const left = () => deadline - performance.now();
    const plain = performance.now() < (this.#plainUntil.get(upstream) ?? 0);
    const asked = plain ? inLowerCase(query) : query;
    const reply = await this.#sockets.ask(upstream, asked, Math.max(1, timeoutMs));
    const credible = plain || judge(asked, reply) === 'answer';
    if (credible && !isTruncated(reply)) return reply;
    try {
      return await this.#askOverTcp(upstream, asked, left());
    } catch (error) {
      // A cut answer says more than none.
      if (credible) return reply;
      if (error instanceof Busy || this.#stopping.signal.aborted) throw error;
      this.#plainUntil.set(upstream, performance.now() + PLAIN_MS);
      return await this.ask(upstream, query, left());
    }
  }

  /** Gives up on all that is outstanding. */
  stop(): void {
    this.#stopping.abort();
    this.#sockets.stop();
  }

  async #askOverTcp(upstream: Upstream, query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    if (this.#connections >= MAX_CONNECTIONS) throw new Busy(this.#connections);
    const late = AbortSignal.timeout(Math.max(0, Math.ceil(timeoutMs)));
    this.#connections += 1;
    try {
      return await overTcp(upstream, query, AbortSignal.any([this.#stopping.signal, late]));
    } finally {
      this.#connections -= 1;
    }
  }
}

/** Asks over TCP alone. Rejects with `unreachable` when no answer has come before `signal` aborts. */
export async function overTcp(
  upstream: Upstream,
  query: OutgoingQuery,
  signal: AbortSignal,
): Promise<Buffer> {
  const socket = connect({ host: upstream.ip, port: upstream.port, noDelay: true });
  const frames = new FrameReader(MAX_ANSWER_BYTES);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const abort = () => reject(new Error('no answer in time'));
  socket.on('connect', () => socket.write(frame(query.message)));
  socket.on('data', (chunk) => {
    const reply = frames.push(chunk).find((message) => judge(query, message) !== 'other');
    if (reply) resolve(reply);
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

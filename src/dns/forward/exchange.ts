import { connect } from 'node:net';
import { HeddleError, messageOf } from '../../errors.ts';
import { formatListen } from '../listen.ts';
import { FrameReader, frame } from '../wire/frames.ts';
import { isTruncated, judge, type OutgoingQuery } from './outgoing.ts';
import { UpstreamSockets } from './upstream-sockets.ts';
import type { Upstream } from './upstreams.ts';

/** What a TCP frame can hold. */
const MAX_ANSWER_BYTES = 65_535;
/** Connections to upstreams at the same time: an upstream must not use up our descriptors by cutting answers. */
const MAX_CONNECTIONS = 128;

/** One query and its reply, with one upstream: over UDP, and again over TCP when the answer is cut or misspelt. */
export class Exchange {
  readonly #sockets = new UpstreamSockets();
  readonly #stopping = new AbortController();
  #connections = 0;

  /** Rejects with `unreachable` when no answer has come in time. */
  async ask(upstream: Upstream, query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs;
    const reply = await this.#sockets.ask(upstream, query, timeoutMs);
    const spelt = judge(query, reply) === 'answer';
    if (spelt && !isTruncated(reply)) return reply;
    try {
      return await this.#askOverTcp(upstream, query, deadline - performance.now());
    } catch (error) {
      // A cut answer says more than none.
      if (spelt) return reply;
      throw error;
    }
  }

  /** Gives up on all that is outstanding. */
  stop(): void {
    this.#stopping.abort();
    this.#sockets.stop();
  }

  async #askOverTcp(upstream: Upstream, query: OutgoingQuery, timeoutMs: number): Promise<Buffer> {
    if (this.#connections >= MAX_CONNECTIONS) {
      throw new HeddleError('unreachable', `${this.#connections} connections to upstreams are open already`);
    }
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

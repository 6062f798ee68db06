import { connect } from 'node:net';
import { HeddleError, messageOf } from '../errors.ts';
import { FrameReader, frame } from './frames.ts';
import { formatListen } from './listen.ts';
import { isTruncated, judge, type OutgoingQuery } from './outgoing.ts';
import { openSocket } from './udp.ts';
import type { Upstream } from './upstreams.ts';

/** What a TCP frame can hold. */
const MAX_ANSWER_BYTES = 65_535;

/**
 * Asks one upstream: over UDP, and again over TCP when the answer is cut or its question misspelt. Rejects with
 * `unreachable` when no answer has come before `signal` aborts.
 */
export async function exchange(
  upstream: Upstream,
  query: OutgoingQuery,
  signal: AbortSignal,
): Promise<Buffer> {
  const reply = await overUdp(upstream, query, signal);
  const spelt = judge(query, reply) === 'answer';
  if (spelt && !isTruncated(reply)) return reply;
  try {
    return await overTcp(upstream, query, signal);
  } catch (error) {
    // A cut answer says more than none.
    if (spelt) return reply;
    throw error;
  }
}

function overUdp(upstream: Upstream, query: OutgoingQuery, signal: AbortSignal): Promise<Buffer> {
  const socket = openSocket(upstream.ip);
  const answered = new Promise<Buffer>((resolve, reject) => {
    // What does not answer the query is passed over: the true answer may still come.
    socket.on('message', (reply) => judge(query, reply) !== 'other' && resolve(reply));
    socket.on('error', reject);
    // Connected, the socket hears of refusals, and nobody but the upstream; its port is the system's random choice.
    socket.on('connect', () => signal.aborted || socket.send(query.message));
    socket.connect(upstream.port, upstream.ip);
  });
  return settle(upstream, answered, signal, () => socket.close());
}

/** Asks over TCP alone. */
export function overTcp(upstream: Upstream, query: OutgoingQuery, signal: AbortSignal): Promise<Buffer> {
  const socket = connect({ host: upstream.ip, port: upstream.port, noDelay: true });
  const frames = new FrameReader(MAX_ANSWER_BYTES);
  const answered = new Promise<Buffer>((resolve, reject) => {
    socket.on('connect', () => socket.write(frame(query.message)));
    socket.on('data', (chunk) => {
      const reply = frames.push(chunk).find((message) => judge(query, message) !== 'other');
      if (reply) resolve(reply);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('connection closed without an answer')));
  });
  return settle(upstream, answered, signal, () => socket.destroy());
}

/** The answer or the reason why there is none, the socket closed either way. */
async function settle(
  upstream: Upstream,
  answered: Promise<Buffer>,
  signal: AbortSignal,
  close: () => void,
): Promise<Buffer> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new Error('no answer in time'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([answered, aborted.promise]);
  } catch (cause) {
    const why = `${formatListen(upstream)}: ${messageOf(cause)}`;
    throw new HeddleError('unreachable', why, { cause });
  } finally {
    signal.removeEventListener('abort', abort);
    close();
  }
}

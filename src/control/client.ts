import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import { http } from '../runtime/http.ts';
import type { Io } from '../runtime/io.ts';
import { lines } from '../runtime/lines.ts';
import { EngineAnswer, NOT_NOW, OutputLine } from './protocol.ts';

const IDENTITY_TIMEOUT_MS = 5_000;
/** A daemon waits this long at most for what it is writing to Consul, or starts in that time. */
const HAND_OVER_TIMEOUT_MS = 15_000;
const RETRY_MS = 100;

/**
 * Which engine the daemon behind this socket serves; `undefined` when there is no daemon.
 * @throws HeddleError `not-permitted` when the socket may not be opened, `unreachable` when the daemon is stuck
 */
export async function daemonAt(path: string): Promise<EngineAnswer | undefined> {
  try {
    const response = await send(path, 'GET', '/engine', undefined, AbortSignal.timeout(IDENTITY_TIMEOUT_MS));
    return v.parse(EngineAnswer, JSON.parse(await text(response)));
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    if (systemCode(cause) === 'EACCES') {
      throw new HeddleError(
        'not-permitted',
        `the daemon's socket ${path} is for root; run this word as root`,
        { cause },
      );
    }
    throw new HeddleError('unreachable', `the daemon behind ${path} does not answer: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/**
 * Has the daemon behind this socket end, for this process to take its place; false when there is none.
 * @param patienceMs how long one that still starts is asked again
 * @throws HeddleError `refused` by a daemon that cannot, `unreachable` by one that does not answer
 */
export async function takeOver(path: string, patienceMs = HAND_OVER_TIMEOUT_MS): Promise<boolean> {
  const until = performance.now() + patienceMs;
  while ((await daemonAt(path)) !== undefined) {
    const { status, said } = await requestHandOver(path);
    if (status === 200) return true;
    if (status !== NOT_NOW) {
      throw new HeddleError('refused', `the daemon behind ${path} is too old to hand over; stop it`);
    }
    if (performance.now() > until) {
      throw new HeddleError('refused', `the daemon behind ${path} does not hand over: ${said}; stop it`);
    }
    await delay(RETRY_MS);
  }
  return false;
}

async function requestHandOver(
  path: string,
): Promise<{ readonly status: number | undefined; readonly said: string }> {
  try {
    const patience = AbortSignal.timeout(HAND_OVER_TIMEOUT_MS);
    const response = await send(path, 'POST', '/hand-over', undefined, patience);
    return { status: response.statusCode, said: await text(response) };
  } catch (cause) {
    throw new HeddleError(
      'unreachable',
      `the daemon behind ${path} did not hand over: ${messageOf(cause)}; stop it`,
      { cause },
    );
  }
}

/** Runs a word in the daemon; its streams are passed on and its exit status returned. */
export async function runInDaemon(path: string, argv: readonly string[], io: Io): Promise<number> {
  try {
    const response = await send(path, 'POST', '/word', JSON.stringify({ argv }));
    for await (const line of lines(response)) {
      const piece = v.parse(OutputLine, JSON.parse(line));
      if ('exit' in piece) return piece.exit;
      if ('out' in piece) io.stdout.write(piece.out);
      else io.stderr.write(piece.err);
    }
  } catch (cause) {
    if (isAbsent(cause)) {
      const why = `no daemon answers on ${path}; start one with heddle daemon, or see docker logs heddle`;
      throw new HeddleError('unreachable', why, { cause });
    }
    throw new HeddleError(
      'unreachable',
      `the daemon behind ${path} hung up: ${messageOf(cause)}; see its log`,
      { cause },
    );
  }
  throw new HeddleError(
    'unreachable',
    `the daemon behind ${path} ended in the middle of a word; see its log`,
  );
}

/** There is no socket, or nobody listens on it any more. */
const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(systemCode(error) ?? '');

function send(
  socketPath: string,
  method: string,
  path: string,
  body?: string,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, agent: false, ...(signal ? { signal } : {}) };
    const outgoing: ClientRequest = http.request(options, resolve);
    outgoing.on('error', reject).end(body);
  });
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

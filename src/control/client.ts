import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import { http } from '../runtime/http.ts';
import type { Io } from '../runtime/io.ts';
import { lines } from '../runtime/lines.ts';
import { COMMAND_PATH, EngineAnswer, NOT_NOW, OutputLine } from './protocol.ts';

const IDENTITY_TIMEOUT_MS = 5_000;
/** Upper bound for a daemon to finish its writes to Consul, or to finish its start. */
const HAND_OVER_TIMEOUT_MS = 15_000;
const RETRY_MS = 100;

/**
 * Asks the daemon behind this socket which engine it serves; `undefined` when there is no daemon.
 * @throws HeddleError `not-permitted` when this user cannot open the socket, `unreachable` when the daemon hangs
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
        `the daemon's socket ${path} is for root only; run this command as root`,
        { cause },
      );
    }
    throw new HeddleError('unreachable', `the daemon at ${path} does not answer: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/**
 * Asks the daemon behind this socket to end, so that this process can take its place.
 * @param patienceMs how long to retry while that daemon is still starting
 * @returns false when there is no daemon
 * @throws HeddleError `refused` when the daemon cannot hand over, `unreachable` when it does not answer
 */
export async function takeOver(path: string, patienceMs = HAND_OVER_TIMEOUT_MS): Promise<boolean> {
  const until = performance.now() + patienceMs;
  while ((await daemonAt(path)) !== undefined) {
    const { status, reason } = await requestHandOver(path);
    if (status === 200) return true;
    if (status !== NOT_NOW) {
      throw new HeddleError('refused', `the daemon at ${path} is too old to hand over; stop it`);
    }
    if (performance.now() > until) {
      throw new HeddleError('refused', `the daemon at ${path} does not hand over: ${reason}; stop it`);
    }
    await delay(RETRY_MS);
  }
  return false;
}

async function requestHandOver(
  path: string,
): Promise<{ readonly status: number | undefined; readonly reason: string }> {
  try {
    const patience = AbortSignal.timeout(HAND_OVER_TIMEOUT_MS);
    const response = await send(path, 'POST', '/hand-over', undefined, patience);
    return { status: response.statusCode, reason: await text(response) };
  } catch (cause) {
    throw new HeddleError(
      'unreachable',
      `the daemon at ${path} did not hand over: ${messageOf(cause)}; stop it`,
      { cause },
    );
  }
}

/** Runs a command in the daemon, and copies its output to `io`. @returns the exit status of the command */
export async function runInDaemon(path: string, argv: readonly string[], io: Io): Promise<number> {
  try {
    const response = await send(path, 'POST', COMMAND_PATH, JSON.stringify({ argv }));
    for await (const line of lines(response)) {
      const output = v.parse(OutputLine, JSON.parse(line));
      if ('exit' in output) return output.exit;
      if ('out' in output) io.stdout.write(output.out);
      else io.stderr.write(output.err);
    }
  } catch (cause) {
    if (isAbsent(cause)) {
      const message = `no daemon answers at ${path}; start one with heddle daemon, or see docker logs heddle`;
      throw new HeddleError('unreachable', message, { cause });
    }
    throw new HeddleError(
      'unreachable',
      `the daemon at ${path} closed the connection: ${messageOf(cause)}; see its log`,
      { cause },
    );
  }
  throw new HeddleError('unreachable', `the daemon at ${path} ended during the command; see its log`);
}

/** There is no socket, or no process listens on it any more. */
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

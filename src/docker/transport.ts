import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { http } from '../runtime/http.ts';
import { InspectionFilter } from './inspection-filter.ts';
import { ALL_METADATA, type KeptMetadata } from './kept-metadata.ts';
import { WithoutLabels } from './without-labels.ts';

/** The limit on the kept part of an answer: the list of several thousand containers takes a tenth of it. */
const ANSWER_LIMIT_BYTES = 64 << 20;
/** Larger answers are filtered; for smaller ones filtering would cost more than it saves. */
const LARGE_LIST_BYTES = 1 << 20;
const LARGE_INSPECTION_BYTES = 256 << 10;
const LIST = /\/containers\/json(?:\?|$)/;
const INSPECTION = /\/containers\/[^/]+\/json(?:\?|$)/;

/** Filters an answer while it arrives. */
interface Filter {
  take(chunk: Buffer): readonly Buffer[];
}
/** An error's message takes a few hundred bytes. */
const ERROR_LIMIT_BYTES = 64 << 10;
const MESSAGE_LIMIT = 500;
/** Larger answers are read with pauses, in which DNS queries are answered. */
const PACE_BYTES = 2 << 20;
const PACE_MS = 10;

/** docker-modem's description of a request, besides Node's own options. */
interface Context {
  readonly isStream?: boolean;
  readonly hijack?: boolean;
  /** `true` for each status that is a success. */
  readonly statusCodes: Readonly<Record<number, unknown>>;
}

type Body = string | Buffer | Readable | undefined;

/** The part of docker-modem that builds and sends a request. */
interface Modem {
  readonly protocol: string;
  /** The signal of the call that this request belongs to. */
  readonly signal?: AbortSignal;
  buildRequest(
    options: RequestOptions,
    context: Context,
    body: Body,
    done: (error: unknown, result?: unknown) => void,
  ): void;
}

/** The engine's refusal, with its text cut to the length of a message. */
export class EngineRefusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/**
 * Replaces docker-modem's sender. The original follows redirects, and throws from a callback if one is relative. It waits
 * for the rest of an answer that was cut, and collects an endless one in memory. With this sender, any answer of the
 * engine resolves or rejects the promise of its call.
 */
export function secure(client: Dockerode, kept: KeptMetadata = ALL_METADATA): Dockerode {
  const modem = client.modem as unknown as Modem;
  modem.buildRequest = function (this: Modem, options, context, body, done) {
    // Most calls have a single signal, and combining two costs more than the rest of a request.
    const signal =
      options.signal && this.signal
        ? AbortSignal.any([options.signal, this.signal])
        : (this.signal ?? options.signal);
    exchange(this.protocol, { ...options, signal }, context, body, kept)
      // `done` reads the answer, and throws if it has another shape.
      .then((answer) => done(null, answer))
      .catch((error: unknown) => done(error));
  };
  return client;
}

/** The client for one call: the signal ends its requests. */
export function withSignal(client: Dockerode, signal: AbortSignal): Dockerode {
  const modem: unknown = Object.create(client.modem as object, { signal: { value: signal } });
  return Object.create(client, { modem: { value: modem } }) as Dockerode;
}

/** Sends one request. @returns parsed JSON or the bytes, the answer as a stream, or the upgraded connection */
async function exchange(
  protocol: string,
  options: RequestOptions,
  context: Context,
  body: Body,
  kept: KeptMetadata,
): Promise<unknown> {
  const { request: begin } = protocol === 'https' ? process.getBuiltinModule('node:https') : http;
  const answer = await answerTo(begin(options), context, body);
  if (!('statusCode' in answer)) return answer;
  const status = answer.statusCode ?? 0;
  if (context.statusCodes[status] !== true) {
    throw new EngineRefusal(status, await refusal(answer));
  }
  if (!context.isStream) {
    return parsed(await read(answer, ANSWER_LIMIT_BYTES, filterOf(options.path ?? '', kept)));
  }
  // The stream may break after its reader has left.
  answer.on('error', () => {});
  return answer;
}

/** The filter for the answer to this path, and the size above which it is used. */
function filterOf(
  path: string,
  kept: KeptMetadata,
): { readonly filter: Filter; readonly from: number } | undefined {
  if (LIST.test(path)) return { filter: new WithoutLabels(), from: LARGE_LIST_BYTES };
  if (INSPECTION.test(path)) return { filter: new InspectionFilter(kept), from: LARGE_INSPECTION_BYTES };
  return undefined;
}

function answerTo(
  request: ClientRequest,
  { hijack }: Context,
  body: Body,
): Promise<IncomingMessage | Duplex> {
  return new Promise((resolve, reject) => {
    // Never removed: the connection can break at any later time.
    request.on('error', reject).once('response', resolve);
    // No error event comes if the engine switches to another protocol.
    request.once('close', () => reject(new Error('the connection was closed without an answer')));
    if (hijack) {
      request.once('upgrade', (_, socket, head) => {
        socket.on('error', () => {});
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
    }
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body);
    else body.once('error', (error: Error) => request.destroy(error)).pipe(request);
  });
}

/** Reads an answer, a large one through the filter. Throws if it is cut, or if more than the limit would be kept. */
async function read(
  answer: IncomingMessage,
  limit: number,
  filtering?: { readonly filter: Filter; readonly from: number },
): Promise<Buffer> {
  let chunks: Buffer[] = [];
  let size = 0;
  let filter: Filter | undefined;
  let unpaced = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    // A socket delivers megabytes in one turn of the event loop if its reader keeps up, and would block other work.
    if (filter) await new Promise((resolve) => setImmediate(resolve));
    for (const part of filter?.take(chunk) ?? [chunk]) {
      size += part.length;
      chunks.push(part);
    }
    if (filtering && !filter && size > filtering.from) {
      filter = filtering.filter;
      const before = chunks;
      chunks = [];
      for (const part of before) {
        await new Promise((resolve) => setImmediate(resolve));
        chunks.push(...filter.take(part));
      }
      size = chunks.reduce((sum, { length }) => sum + length, 0);
    }
    // Leaving the loop closes the connection.
    if (size > limit) throw new Error(`its answer is longer than ${limit} bytes`);
    unpaced += chunk.length;
    if (unpaced < PACE_BYTES) continue;
    unpaced = 0;
    await delay(PACE_MS);
  }
  return Buffer.concat(chunks, size);
}

function parsed(answer: Buffer): unknown {
  try {
    return JSON.parse(answer.toString('utf8'));
  } catch {
    return answer;
  }
}

/** Why the engine refused: its own message, or the HTTP status. */
async function refusal(answer: IncomingMessage): Promise<string> {
  const { statusCode: status = 0, statusMessage = '', headers } = answer;
  const text = await read(answer, ERROR_LIMIT_BYTES).catch(() => Buffer.alloc(0));
  const json = parsed(text) as { readonly message?: unknown } | null;
  if (typeof json?.message === 'string' && json.message.trim() !== '') return oneLine(json.message);
  if (status >= 300 && status < 400) {
    const location = headers.location === undefined ? '' : ` to ${oneLine(headers.location)}`;
    return `HTTP status ${status}, a redirect${location}, which heddle does not follow`;
  }
  const isText = headers['content-type']?.startsWith('text/plain') && text.length > 0;
  return `HTTP status ${status}: ${oneLine(isText ? text.toString('utf8') : statusMessage) || 'no reason given'}`;
}

/** One line without control characters, cut if it is long. */
const oneLine = (text: string): string =>
  text
    .slice(0, MESSAGE_LIMIT)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();

import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { http } from '../runtime/http.ts';
import { InspectionFilter } from './inspection-filter.ts';
import { ALL_METADATA, type KeptMetadata } from './kept-metadata.ts';
import { WithoutLabels } from './without-labels.ts';

/** What is kept of an answer at most: the list of several thousand containers takes a tenth of this. */
const ANSWER_LIMIT_BYTES = 64 << 20;
/** An answer is filtered where it is larger: below, that would cost more than it saves. */
const LARGE_LIST_BYTES = 1 << 20;
const LARGE_INSPECTION_BYTES = 256 << 10;
const LIST = /\/containers\/json(?:\?|$)/;
const INSPECTION = /\/containers\/[^/]+\/json(?:\?|$)/;

/** Takes an answer as it arrives, and keeps what is read of it. */
interface Filter {
  take(chunk: Buffer): readonly Buffer[];
}
/** What an error says takes a few hundred bytes. */
const ERROR_LIMIT_BYTES = 64 << 10;
const MESSAGE_LIMIT = 500;
/** More than this is read with pauses, in which names are answered. */
const PACE_BYTES = 2 << 20;
const PACE_MS = 10;

/** What docker-modem says of a request beside the options of Node's own. */
interface Context {
  readonly isStream?: boolean;
  readonly hijack?: boolean;
  /** `true` for each status that is a success. */
  readonly statusCodes: Readonly<Record<number, unknown>>;
}

type Body = string | Buffer | Readable | undefined;

/** The two methods of docker-modem between which a request is made and sent, and what they find in `this`. */
interface Modem {
  readonly protocol: string;
  /** Of the call that this request belongs to. */
  readonly signal?: AbortSignal;
  buildRequest(
    options: RequestOptions,
    context: Context,
    body: Body,
    done: (error: unknown, result?: unknown) => void,
  ): void;
}

/** The engine's refusal, with as much of its text as a message can hold. */
export class EngineRefusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/**
 * Replaces the sender of docker-modem. Its own follows redirects, and throws from a callback where one is relative; it
 * waits for the rest of an answer that was cut, and keeps an endless one in memory. With this one, whatever comes from
 * the engine resolves or rejects the promise of the call that asked.
 */
export function secure(client: Dockerode, kept: KeptMetadata = ALL_METADATA): Dockerode {
  const modem = client.modem as unknown as Modem;
  modem.buildRequest = function (this: Modem, options, context, body, done) {
    // Most calls have one alone, and to make one of two costs more than the rest of a request.
    const signal =
      options.signal && this.signal
        ? AbortSignal.any([options.signal, this.signal])
        : (this.signal ?? options.signal);
    exchange(this.protocol, { ...options, signal }, context, body, kept)
      // `done` reads the answer, and throws where that has another shape.
      .then((answer) => done(null, answer))
      .catch((error: unknown) => done(error));
  };
  return client;
}

/** The same client for one call: its requests end with the signal. */
export function withSignal(client: Dockerode, signal: AbortSignal): Dockerode {
  const modem: unknown = Object.create(client.modem as object, { signal: { value: signal } });
  return Object.create(client, { modem: { value: modem } }) as Dockerode;
}

/** Sends one request. @returns parsed JSON or its bytes, the answer itself as a stream, or a connection that was upgraded */
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
  // It may break when its reader has left already.
  answer.on('error', () => {});
  return answer;
}

/** The filter for the answer to this path, and the size from which it is used. */
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
    // For good: the connection can break at any later time as well.
    request.on('error', reject).once('response', resolve);
    // Without an error where the engine begins to speak another protocol.
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

/** The whole of an answer, a large one through the filter. Throws where it is cut, or more than the limit would be kept. */
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
    // A socket gives megabytes in one turn where its reader keeps up, and nothing else would have its turn.
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

/** Why the engine refused, as it says itself, or in HTTP's terms. */
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

/** One line without control characters, cut where it is long. */
const oneLine = (text: string): string =>
  text
    .slice(0, MESSAGE_LIMIT)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();

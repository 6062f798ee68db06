import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { Writable } from 'node:stream';
import Consul from 'consul';
import { HeddleError } from '../../../errors.ts';
import { http } from '../../../runtime/http.ts';
import { type ConsulUri, formatRegistryUri } from '../../uri.ts';
import type { Reader } from './answers.ts';
import { AnswerTooLong, type Credentials, consulError, TOKEN_POLICY, tokenHint } from './errors.ts';
import type { TlsOptions } from './tls.ts';

export interface ConsulClientOptions {
  readonly token?: string;
  /** The policy that the token needs, for messages; default that of agent mode. */
  readonly tokenPolicy?: string;
  /** TLS options for `consul-tls://`: the authority of the agent's certificate, and our certificate for mutual TLS. */
  readonly tls?: TlsOptions;
  /** `user:password` for a proxy in front of Consul. */
  readonly auth?: string;
  /** Timeout of one request in ms; default 10,000. The package has none, and a silent peer would hang for ever. */
  readonly timeout?: number;
  /** Sent with every request: `dc` and `ns`. */
  readonly query?: Readonly<Record<string, string>>;
  /** Concurrent connections; default 32. Consul resets the 201st of one client address. */
  readonly connections?: number;
}

export interface Call {
  /** The beginning of an error message: `cannot register web`. */
  readonly attempt: string;
  readonly path: string;
  /** Values for the `{names}` in the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number;
  /** The longest accepted answer, in bytes; default 16 MiB. */
  readonly mostBytes?: number;
}

/** The `consul` package's generic requests, with any body, options and answer; its types do not declare them. */
interface Requests {
  _get<T>(request: object, take: Take<T>): Promise<T>;
  _put<T>(request: object, take: Take<T>): Promise<T>;
  destroy(): void;
}

type Take<T> = (request: Finished, next: (stop: false, error: unknown, value?: T) => void) => void;

interface Finished {
  readonly err?: unknown;
  readonly res?: {
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string | undefined>>;
  };
}

/** A request of the package before it is sent, as passed to `onRequest` extensions. */
interface Unsent {
  transport: { request(options: object): ClientRequest };
}

const TIMEOUT_MS = 10_000;
const CONNECTIONS = 32;
/** Ten thousand services of this host take 8 MiB; parsing as much takes a tenth of a second. */
const MOST_BYTES = 16 << 20;

/**
 * The HTTP API of a Consul agent through the `consul` package. The package's own methods drop Weights,
 * EnableTagOverride and `replace-existing-checks`, so calls use the generic requests beneath those methods.
 */
export class ConsulClient {
  /** `consul://127.0.0.1:8500`. */
  readonly name: string;
  readonly #credentials: Credentials;
  readonly #requests: Requests;
  readonly #query: Readonly<Record<string, string>>;

  constructor(uri: ConsulUri, options: ConsulClientOptions = {}) {
    this.name = formatRegistryUri(uri);
    this.#credentials = {
      hasToken: options.token !== undefined,
      hasCertificate: options.tls?.cert !== undefined,
      policy: options.tokenPolicy ?? TOKEN_POLICY,
    };
    this.#query = options.query ?? {};
    this.#requests = new Consul(connection(uri, options) as object) as unknown as Requests;
  }

  get hasToken(): boolean {
    return this.#credentials.hasToken;
  }

  /** What the token lacks, or that there is none: for an answer that hides entries from the token. */
  get tokenHint(): string {
    return tokenHint(this.#credentials);
  }

  /** The datacenter, if it is not the agent's own. Catalog bodies must repeat it, since they ignore `dc`. */
  get datacenter(): string | undefined {
    return this.#query.dc;
  }

  /** @throws HeddleError `unreachable`, or `refused` with Consul's message */
  async get<T>(call: Call, read: Reader<T>): Promise<T> {
    const body = await this.#send(call, (request) => this.#requests._get(request, takeBody<unknown>));
    return this.#read(call, body, read);
  }

  /** An answer with the index for the next blocking query; 0 without one. */
  async getIndexed<T>(call: Call, read: Reader<T>): Promise<{ readonly value: T; readonly index: number }> {
    const { value, index } = await this.#send(call, (request) => this.#requests._get(request, takeIndexed));
    return { value: this.#read(call, value, read), index };
  }

  /** The `Date` header of any answer; empty without one. */
  async getDate(call: Call): Promise<string> {
    return this.#send(call, (request) => this.#requests._get(request, takeDate));
  }

  /** @throws HeddleError `unreachable`, or `refused` with Consul's message */
  async put(call: Call): Promise<void> {
    await this.#send(call, (request) => this.#requests._put(request, takeBody));
  }

  /** A digest of an answer, to detect changes; the answer is neither parsed nor held as a whole. */
  async digest(call: Call): Promise<string> {
    const hash = createHash('sha256');
    const pipe = new Writable({
      write(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done();
      },
    });
    await this.#send(call, (request) => this.#requests._get({ ...request, pipe }, takeBody));
    return hash.digest('hex');
  }

  close(): void {
    this.#requests.destroy();
  }

  #read<T>({ attempt }: Call, body: unknown, read: Reader<T>): T {
    const value = read(body);
    if (value !== undefined) return value;
    const message = `${attempt} at ${this.name}: the answer has an unexpected form; is it a Consul?`;
    throw new HeddleError('unreachable', message);
  }

  async #send<T>(call: Call, send: (request: object) => Promise<T>): Promise<T> {
    const { attempt, signal, mostBytes = MOST_BYTES, ...rest } = call;
    const request = { ...rest, query: { ...this.#query, ...call.query } };
    signal?.throwIfAborted();
    const canceller = new EventEmitter();
    const cancel = () => canceller.emit('cancel');
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const exts = { onRequest: bounded(mostBytes) };
      return await send({ ...request, type: 'json', ctx: canceller, exts });
    } catch (error) {
      signal?.throwIfAborted();
      throw consulError(`${attempt} at ${this.name}`, error, this.#credentials);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }
}

function takeBody<T>({ err, res }: Finished, next: Parameters<Take<T>>[1]): void {
  if (err) next(false, err);
  else next(false, undefined, res?.body as T);
}

function takeIndexed(
  { err, res }: Finished,
  next: Parameters<Take<{ value: unknown; index: number }>>[1],
): void {
  const index = Number(res?.headers?.['x-consul-index']) || 0;
  if (err) next(false, err);
  else next(false, undefined, { value: res?.body, index });
}

function takeDate({ err, res }: Finished, next: Parameters<Take<string>>[1]): void {
  if (err) next(false, err);
  else next(false, undefined, res?.headers?.date ?? '');
}

/**
 * Limits the length of an answer, and fails on a truncated one: the package buffers any length, and waits for ever if
 * the agent dies in the middle of an answer.
 */
function bounded(mostBytes: number) {
  return (request: Unsent, next: () => void): void => {
    const { transport } = request;
    request.transport = {
      request: (options) => {
        const sent = transport.request(options);
        sent.once('response', (answer) => watchAnswer(sent, answer, mostBytes));
        return sent;
      },
    };
    next();
  };
}

function watchAnswer(sent: ClientRequest, answer: IncomingMessage, mostBytes: number): void {
  let length = 0;
  const fail = (error: Error) => {
    sent.emit('error', error);
    sent.destroy();
  };
  answer.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > mostBytes) fail(new AnswerTooLong(mostBytes));
  });
  answer.once('close', () => {
    if (!answer.complete) fail(new Error('the connection closed in the middle of the answer'));
  });
}

function connection(uri: ConsulUri, options: ConsulClientOptions): object {
  const tls = 'tls' in uri && uri.tls;
  const pool = { keepAlive: true, maxSockets: options.connections ?? CONNECTIONS };
  return {
    ...('socketPath' in uri ? { socketPath: uri.socketPath } : address(uri.host)),
    ...('port' in uri && { port: uri.port, secure: tls }),
    ...(tls && options.tls),
    agent: tls ? new https.Agent(pool) : new http.Agent(pool),
    timeout: options.timeout ?? TIMEOUT_MS,
    headers: {
      ...(options.token !== undefined && { 'x-consul-token': options.token }),
      ...(options.auth !== undefined && {
        authorization: `Basic ${Buffer.from(options.auth).toString('base64')}`,
      }),
    },
  };
}

/** The package cannot parse `::1` and cannot resolve `[::1]`: keep the brackets, and resolve them without DNS. */
function address(host: string): { host: string; lookup?: LookupFunction } {
  if (!host.includes(':')) return { host };
  const found = { address: host, family: 6 };
  return {
    host: `[${host}]`,
    lookup: (_host, { all }, done) => (all === true ? done(null, [found]) : done(null, host, 6)),
  };
}

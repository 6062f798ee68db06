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
import { AnswerTooLong, type Credentials, explained, TOKEN_POLICY, tokenHint } from './errors.ts';
import type { TlsOptions } from './tls.ts';

export interface ConsulClientOptions {
  readonly token?: string;
  /** What the token needs, for messages; default the policy of agent mode. */
  readonly tokenPolicy?: string;
  /** PEM texts for `consul-tls://`: the authority that signed the agent's certificate, and ours for mutual TLS. */
  readonly tls?: TlsOptions;
  /** `user:password` for a proxy in front of Consul. */
  readonly auth?: string;
  /** Of one request, in ms; default 10,000. The package has none, and a silent peer would hang for ever. */
  readonly timeout?: number;
  /** Sent with every question: `dc` and `ns`. */
  readonly query?: Readonly<Record<string, string>>;
  /** Connections at once; default 32. Consul resets the 201st of one client address. */
  readonly connections?: number;
}

export interface Call {
  /** `cannot register web`: how an error begins. */
  readonly attempt: string;
  readonly path: string;
  /** Values for the `{names}` in the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number;
  /** The longest answer that is read, in bytes; default 16 MiB. */
  readonly mostBytes?: number;
}

/** What the `consul` package does and does not declare: its own requests, with any body, option and answer. */
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

/** A request of the package before it is sent, as its `onRequest` extensions get it. */
interface Unsent {
  transport: { request(options: object): ClientRequest };
}

const TIMEOUT_MS = 10_000;
const CONNECTIONS = 32;
/** Ten thousand services of this host take 8 MiB; reading so much at once takes a tenth of a second. */
const MOST_BYTES = 16 << 20;

/**
 * One Consul agent's HTTP API through the `consul` package, typed where we use it. The package's own methods drop
 * Weights, EnableTagOverride and `replace-existing-checks`, so calls go through the requests they are made of.
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

  /** What the token lacks, or that there is none: for an answer that hides what it may not show. */
  get tokenHint(): string {
    return tokenHint(this.#credentials);
  }

  /** Where it is not the agent's own: bodies of the catalog have to name it again, which heed no `dc`. */
  get datacenter(): string | undefined {
    return this.#query.dc;
  }

  /** @throws HeddleError `unreachable`, or `refused` with Consul's words */
  async get<T>(call: Call, read: Reader<T>): Promise<T> {
    const body = await this.#send(call, (request) => this.#requests._get(request, takeBody<unknown>));
    return this.#read(call, body, read);
  }

  /** An answer with the index that the next question can wait on; 0 where there is none. */
  async getIndexed<T>(call: Call, read: Reader<T>): Promise<{ readonly value: T; readonly index: number }> {
    const { value, index } = await this.#send(call, (request) => this.#requests._get(request, takeIndexed));
    return { value: this.#read(call, value, read), index };
  }

  /** The `Date` of an answer, whatever else it says; empty where there is none. */
  async getDate(call: Call): Promise<string> {
    return this.#send(call, (request) => this.#requests._get(request, takeDate));
  }

  /** @throws HeddleError `unreachable`, or `refused` with Consul's words */
  async put(call: Call): Promise<void> {
    await this.#send(call, (request) => this.#requests._put(request, takeBody));
  }

  /** A digest of an answer that is neither parsed nor held as a whole: to see whether it changed. */
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
    const message = `${attempt} at ${this.name}: the answer is not of the expected form; is that a Consul?`;
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
      throw explained(`${attempt} at ${this.name}`, error, this.#credentials);
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
 * The package holds an answer of any length, waits for its end, and for ever where the agent died in the middle of it.
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
    if (!answer.complete) fail(new Error('the connection was cut in the middle of the answer'));
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

/** The package can neither parse `::1` nor find `[::1]`; so the brackets stay, and finding them is no question. */
function address(host: string): { host: string; lookup?: LookupFunction } {
  if (!host.includes(':')) return { host };
  const found = { address: host, family: 6 };
  return {
    host: `[${host}]`,
    lookup: (_host, { all }, done) => (all === true ? done(null, [found]) : done(null, host, 6)),
  };
}

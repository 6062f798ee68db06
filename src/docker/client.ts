import type Dockerode from 'dockerode';
import * as v from 'valibot';
import { type ErrorCode, HeddleError, isDenied, messageOf, systemCode } from '../errors.ts';
import { type EngineAddress, formatAddress } from './engine-address.ts';
import { ALL_METADATA, type KeptMetadata } from './kept-metadata.ts';
import { EngineRefusal, secure, withSignal } from './transport.ts';

/**
 * The newest API version that heddle is tested with. With an older engine heddle uses the engine's own version. With a
 * newer one it uses this version or, if the engine has dropped it, the oldest that the engine supports.
 */
const NEWEST_API = [1, 51] as const;
/** On a healthy engine only the events stream takes longer; a hung engine must not block heddle. */
const CALL_TIMEOUT_MS = 30_000;

/**
 * The connection to one engine, through dockerode. It is made at the first call, with the newest API version that both
 * sides support. dockerode is loaded only then: loading it takes longer than many commands.
 */
export class DockerClient {
  readonly address: string;
  readonly kept: KeptMetadata;
  readonly #host: EngineAddress;
  readonly #trace: ((line: string) => void) | undefined;
  #connected: Promise<Dockerode> | undefined;

  /**
   * @param trace called before every request, with its line: `GET /containers/json`
   * @param kept which of a container's variables and labels are kept
   */
  constructor(host: EngineAddress, trace?: (line: string) => void, kept: KeptMetadata = ALL_METADATA) {
    this.kept = kept;
    this.#host = host;
    this.#trace = trace;
    this.address = formatAddress(host);
  }

  /**
   * Makes one request, bounded in time.
   * @param attempt what is attempted, for the message: `list its containers`
   * @param patienceMs how long the engine may take to begin its answer
   * @throws HeddleError `unreachable` if nothing answers, `not-permitted` if the socket may not be opened, `not-found`
   * and `refused` with the engine's message, `not-supported` if the engine has no API version in common with heddle
   */
  async call<T>(
    attempt: string,
    request: (client: Dockerode) => Promise<T>,
    patienceMs = CALL_TIMEOUT_MS,
  ): Promise<T> {
    const client = await this.#connect();
    return await bounded(this.address, attempt, (signal) => request(withSignal(client, signal)), patienceMs);
  }

  /** Negotiates the version again at the next call: an engine may come back upgraded or downgraded. */
  renew(): void {
    this.#connected = undefined;
  }

  #connect(): Promise<Dockerode> {
    this.#connected ??= this.#negotiate().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #negotiate(): Promise<Dockerode> {
    const { default: Client } = await import('dockerode');
    const options = await clientOptions(this.#host);
    const unversioned = this.#traced(secure(new Client(options)));
    const answer = await bounded(
      this.address,
      'ask the version',
      (signal) => withSignal(unversioned, signal).version(),
      CALL_TIMEOUT_MS,
    );
    return this.#traced(
      secure(new Client({ ...options, version: agreeVersion(this.address, answer) }), this.kept),
    );
  }

  #traced(client: Dockerode): Dockerode {
    const trace = this.#trace;
    if (!trace) return client;
    const { modem } = client;
    const { dial } = modem;
    // `this` belongs to one call, and holds its signal.
    modem.dial = function (request: { method: string; path: string }, done: Parameters<typeof dial>[1]) {
      trace(`${request.method} ${request.path.replace(/\?$/, '')}`);
      dial.call(this, request, done);
    };
    return client;
  }
}

/** Every option is set, if only to undefined: dockerode fills missing ones from this process's own DOCKER_HOST. */
async function clientOptions(host: EngineAddress): Promise<Dockerode.DockerOptions> {
  const nothing = { socketPath: undefined, host: undefined, port: undefined, username: undefined };
  const plain = { ...nothing, protocol: 'http', ca: undefined, cert: undefined, key: undefined };
  if (host.kind === 'unix') return { ...plain, socketPath: host.path } as object;
  if (host.kind === 'ssh') {
    const { SshAgent } = await import('./ssh.ts');
    // The name appears only in the Host header: the agent connects to its own host.
    return { ...plain, host: 'docker', agent: new SshAgent(host) } as object;
  }
  const options: object = { ...plain, host: host.host, port: host.port };
  if (!host.tls) return options;
  const { ca, cert, key, verify } = host.tls;
  // Passed to Node's TLS, although dockerode's types lack it.
  const unchecked = verify ? {} : { checkServerIdentity: () => undefined };
  return { ...options, ...unchecked, protocol: 'https', ca, cert, key };
}

const version = v.pipe(v.string(), v.regex(/^\d{1,4}\.\d{1,4}$/));
/** Old engines omit them. */
const Versions = v.object({
  ApiVersion: v.optional(version, '1.24'),
  MinAPIVersion: v.optional(version, '1.12'),
});

function agreeVersion(address: string, answer: unknown): string {
  const versions = v.safeParse(Versions, answer);
  if (!versions.success)
    throw unexpectedAnswer(address, 'the request for its version', versions.issues[0].message);
  const parse = (text: string): readonly [number, number] => {
    const [major = 0, minor = 0] = text.split('.').map(Number);
    return [major, minor];
  };
  const older = (a: readonly [number, number], b: readonly [number, number]) => a[0] - b[0] || a[1] - b[1];
  const theirs = parse(versions.output.ApiVersion);
  const oldest = parse(versions.output.MinAPIVersion);
  if (oldest[0] > NEWEST_API[0]) {
    throw new HeddleError(
      'not-supported',
      `the Docker engine at ${address} supports no API older than ${oldest.join('.')}, heddle none newer than ${NEWEST_API.join('.')}; upgrade heddle`,
    );
  }
  if (older(oldest, NEWEST_API) > 0) return `v${oldest.join('.')}`;
  return `v${(older(theirs, NEWEST_API) < 0 ? theirs : NEWEST_API).join('.')}`;
}

/**
 * Runs one request with a time limit; at the limit the signal ends the request. Every failure becomes a HeddleError that
 * names the engine and the attempt.
 */
async function bounded<T>(
  address: string,
  attempt: string,
  request: (signal: AbortSignal) => Promise<T>,
  patienceMs: number,
): Promise<T> {
  const patience = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = new Error(`no answer in ${patienceMs / 1000} s`);
    reject(reason);
    patience.abort(reason);
  }, patienceMs);
  timer.unref();
  try {
    return await Promise.race([request(patience.signal), late]);
  } catch (cause) {
    throw dockerError(address, attempt, cause);
  } finally {
    clearTimeout(timer);
  }
}

/** For an answer that no Docker engine sends, even if it is valid JSON. */
export const unexpectedAnswer = (address: string, question: string, why: string): HeddleError =>
  new HeddleError(
    'failed',
    `the Docker engine at ${address} sent an unexpected answer to ${question} (${why}); check that DOCKER_HOST names a Docker engine`,
  );

/** 500 is the engine's own failure with this request; higher codes come from a proxy in front of the engine. */
function codeOf(status: number): ErrorCode {
  if (status > 500) return 'unreachable';
  return status === 500 ? 'failed' : 'refused';
}

/** podman answers some requests for objects that were just removed with 500. */
const meansNotFound = (text: string): boolean =>
  /no such (container|network)|no container with (name or )?ID/i.test(text);

function dockerError(address: string, attempt: string, cause: unknown): HeddleError {
  if (cause instanceof HeddleError) return cause;
  const status = cause instanceof EngineRefusal ? cause.statusCode : undefined;
  const reason = messageOf(cause).trim().replace(/\s+/g, ' ');
  const what = `cannot ${attempt} at the Docker engine ${address}: `;
  if (status === 404 || (status === 500 && meansNotFound(reason)))
    return new HeddleError('not-found', what + reason, { cause });
  if (status !== undefined) return new HeddleError(codeOf(status), what + reason, { cause });
  if (isDenied(cause)) {
    const message = `${what}permission denied; run as root or as a member of the group docker`;
    return new HeddleError('not-permitted', message, { cause });
  }
  if (systemCode(cause) === 'ENOENT') {
    const message = `${what}the socket does not exist; start Docker or set DOCKER_HOST`;
    return new HeddleError('unreachable', message, { cause });
  }
  return new HeddleError(
    'unreachable',
    `${what}${reason}; check that Docker runs and that DOCKER_HOST is right`,
    { cause },
  );
}

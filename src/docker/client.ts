import type Dockerode from 'dockerode';
import * as v from 'valibot';
import { type ErrorCode, HeddleError, messageOf, systemCode } from '../errors.ts';
import { type EngineAddress, formatAddress } from './engine-address.ts';
import { ALL_METADATA, type KeptMetadata } from './kept-metadata.ts';
import { EngineRefusal, secure, withSignal } from './transport.ts';

/**
 * The newest API that heddle is tested with. Older engines are spoken to in their own version, and newer ones in this
 * one or, where they have dropped it, in the oldest that they have left.
 */
const NEWEST_API = [1, 51] as const;
/** No call but the events stream takes longer on a healthy engine; a hung one must not hang us. */
const CALL_TIMEOUT_MS = 30_000;

/**
 * The connection to one engine, by dockerode: made at the first call, with the newest API version both sides speak.
 * Loaded only then, because dockerode takes longer to load than many words to run.
 */
export class DockerClient {
  readonly address: string;
  readonly kept: KeptMetadata;
  readonly #host: EngineAddress;
  readonly #trace: ((line: string) => void) | undefined;
  #connected: Promise<Dockerode> | undefined;

  /**
   * @param trace is told of every call before it is made: `GET /containers/json`
   * @param kept what is kept of containers' variables and labels
   */
  constructor(host: EngineAddress, trace?: (line: string) => void, kept: KeptMetadata = ALL_METADATA) {
    this.kept = kept;
    this.#host = host;
    this.#trace = trace;
    this.address = formatAddress(host);
  }

  /**
   * Makes one request, bounded in time.
   * @param attempt for the message: `list its containers`
   * @param patienceMs how long the engine may take to begin its answer
   * @throws HeddleError `unreachable` when nothing answers, `not-permitted` for a socket that may not be opened,
   * `not-found` and `refused` with the engine's words, `not-supported` when it speaks no version of ours
   */
  async call<T>(
    attempt: string,
    request: (client: Dockerode) => Promise<T>,
    patienceMs = CALL_TIMEOUT_MS,
  ): Promise<T> {
    const client = await this.#connect();
    return await bounded(this.address, attempt, (signal) => request(withSignal(client, signal)), patienceMs);
  }

  /** Agrees on a version anew at the next call: an engine may come back as another version of itself. */
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
    const asking = this.#traced(secure(new Client(options)));
    const answer = await bounded(
      this.address,
      'ask the version',
      (signal) => withSignal(asking, signal).version(),
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
    // `this` stands for one call, and carries its signal.
    modem.dial = function (request: { method: string; path: string }, done: Parameters<typeof dial>[1]) {
      trace(`${request.method} ${request.path.replace(/\?$/, '')}`);
      dial.call(this, request, done);
    };
    return client;
  }
}

/** All of it, undefined values too: what is left out, dockerode takes from this process's own DOCKER_HOST. */
async function clientOptions(host: EngineAddress): Promise<Dockerode.DockerOptions> {
  const nothing = { socketPath: undefined, host: undefined, port: undefined, username: undefined };
  const plain = { ...nothing, protocol: 'http', ca: undefined, cert: undefined, key: undefined };
  if (host.kind === 'unix') return { ...plain, socketPath: host.path } as object;
  if (host.kind === 'ssh') {
    const { SshAgent } = await import('./ssh.ts');
    // The name stands in the header alone: the agent knows where to go.
    return { ...plain, host: 'docker', agent: new SshAgent(host) } as object;
  }
  const options: object = { ...plain, host: host.host, port: host.port };
  if (!host.tls) return options;
  const { ca, cert, key, verify } = host.tls;
  // Passed on to Node's TLS, though dockerode's types do not know it.
  const unchecked = verify ? {} : { checkServerIdentity: () => undefined };
  return { ...options, ...unchecked, protocol: 'https', ca, cert, key };
}

const version = v.pipe(v.string(), v.regex(/^\d{1,4}\.\d{1,4}$/));
/** Old engines leave them out. */
const Versions = v.object({
  ApiVersion: v.optional(version, '1.24'),
  MinAPIVersion: v.optional(version, '1.12'),
});

function agreeVersion(address: string, answer: unknown): string {
  const versions = v.safeParse(Versions, answer);
  if (!versions.success)
    throw notUnderstood(address, 'the question for its version', versions.issues[0].message);
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
      `the Docker engine at ${address} speaks no API older than ${oldest.join('.')}, heddle none newer than ${NEWEST_API.join('.')}; upgrade heddle`,
    );
  }
  if (older(oldest, NEWEST_API) > 0) return `v${oldest.join('.')}`;
  return `v${(older(theirs, NEWEST_API) < 0 ? theirs : NEWEST_API).join('.')}`;
}

/**
 * Runs one request with a bound on its time, after which the signal ends it; every failure becomes a HeddleError that
 * names engine and attempt.
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
    throw explain(address, attempt, cause);
  } finally {
    clearTimeout(timer);
  }
}

/** For an answer that is no Docker engine's, be it valid JSON. */
export const notUnderstood = (address: string, question: string, why: string): HeddleError =>
  new HeddleError(
    'failed',
    `the Docker engine at ${address} answered ${question} with something else (${why}); check what DOCKER_HOST names`,
  );

/** 500 is the engine's own failure with this request; what follows it comes from something in front of the engine. */
function codeOf(status: number): ErrorCode {
  if (status > 500) return 'unreachable';
  return status === 500 ? 'failed' : 'refused';
}

/** podman answers some questions for what was removed meanwhile with 500. */
const saysNoSuch = (said: string): boolean =>
  /no such (container|network)|no container with (name or )?ID/i.test(said);

function explain(address: string, attempt: string, cause: unknown): HeddleError {
  if (cause instanceof HeddleError) return cause;
  const status = cause instanceof EngineRefusal ? cause.statusCode : undefined;
  const said = messageOf(cause).trim().replace(/\s+/g, ' ');
  const what = `cannot ${attempt} at the Docker engine ${address}: `;
  if (status === 404 || (status === 500 && saysNoSuch(said)))
    return new HeddleError('not-found', what + said, { cause });
  if (status !== undefined) return new HeddleError(codeOf(status), what + said, { cause });
  const code = systemCode(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    return new HeddleError(
      'not-permitted',
      `${what}permission denied; run as root or as a member of the group docker`,
      { cause },
    );
  }
  if (code === 'ENOENT') {
    return new HeddleError('unreachable', `${what}there is no such socket; start Docker or set DOCKER_HOST`, {
      cause,
    });
  }
  return new HeddleError(
    'unreachable',
    `${what}${said}; check that Docker runs and that DOCKER_HOST is right`,
    { cause },
  );
}

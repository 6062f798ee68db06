import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { HeddleError, hasCode, isDenied, messageOf, systemCode } from '../errors.ts';
import { http } from '../runtime/http.ts';
import type { Io } from '../runtime/io.ts';
import type { Logger } from '../runtime/log.ts';
import {
  COMMAND_LIMIT_BYTES,
  COMMAND_PATH,
  CommandRequest,
  type EngineAnswer,
  NOT_NOW,
  type OutputLine,
} from './protocol.ts';

export interface ControlNeeds {
  /** Runs one command on this host. */
  run(argv: readonly string[], io: Io): Promise<number>;
  engine(): Promise<EngineAnswer>;
  /**
   * Stops everything in the daemon except this socket, so that a successor can take its place.
   * @returns a callback that runs when the successor has its answer
   * @throws HeddleError `refused` while the daemon cannot stop; the successor retries
   */
  handOver(): Promise<() => void>;
  readonly log: Logger;
}

/** Only the owner may open the socket. */
const MODE = 0o600;
/** A request is some hundred bytes over a socket of this host. */
const REQUEST_MS = 10_000;
/** Each connection is a command that a caller waits for. */
const MAX_CONNECTIONS = 256;

/** The daemon's control socket. Only root can open it: a user who attaches containers controls the host's network. */
export class ControlServer {
  readonly #needs: ControlNeeds;
  readonly #path: string;
  #server: Server | undefined;

  constructor(needs: ControlNeeds, options: { readonly path: string }) {
    this.#needs = needs;
    this.#path = options.path;
  }

  /** @throws HeddleError `taken` when another daemon answers there */
  async start(): Promise<void> {
    await this.#clearPath();
    const timeouts = {
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: REQUEST_MS / 2,
    };
    const server = http.createServer(timeouts, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#needs.log.warn({ error: messageOf(error) }, 'a request on the control socket failed');
        response.destroy();
      });
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      // The listener stays: when the system is out of descriptors, every failed accept emits another error.
      server.on('error', reject);
      listenPrivately(server, this.#path, resolve);
    }).catch((cause: unknown) => {
      const code = isDenied(cause) || systemCode(cause) === 'EROFS' ? 'not-permitted' : 'failed';
      throw new HeddleError(code, `cannot listen on the control socket ${this.#path}: ${messageOf(cause)}`, {
        cause,
      });
    });
    await chmod(this.#path, MODE); // an access list of the folder may have changed the mode
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    await rm(this.#path, { force: true });
  }

  /** Removes a heddle socket without a listener, which a killed daemon left. Refuses anything else at that path. */
  async #clearPath(): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o755 });
    } catch (cause) {
      throw new HeddleError(
        'not-permitted',
        `cannot create the folder of the control socket: ${messageOf(cause)}`,
        { cause },
      );
    }
    const found = await lstat(this.#path).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined;
      const message = `cannot inspect the control socket ${this.#path}: ${messageOf(error)}`;
      throw new HeddleError('failed', message, { cause: error });
    });
    if (found === undefined) return;
    if (!isOurs(found)) {
      throw new HeddleError(
        'taken',
        `${this.#path} is no control socket of heddle and stays unchanged; choose another path with --socket`,
      );
    }
    if (!(await isAbandoned(this.#path))) {
      throw new HeddleError(
        'taken',
        `another heddle daemon answers on ${this.#path}; stop it, or start this one with another --socket and --state-dir`,
      );
    }
    await rm(this.#path);
  }

  /** Answers after the path is free, because the successor listens there at once. */
  async #handOver(response: ServerResponse): Promise<void> {
    const done = await this.#needs.handOver().catch((error: unknown) => {
      if (!hasCode(error, 'refused')) throw error;
      response.writeHead(NOT_NOW).end(error.message);
    });
    if (!done) return;
    const server = this.#server;
    this.#server = undefined;
    server?.close();
    await rm(this.#path, { force: true });
    response.once('close', done).setHeader('connection', 'close').end();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET' && request.url === '/engine') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(await this.#needs.engine()));
      return;
    }
    if (request.method === 'POST' && request.url === '/hand-over') {
      await this.#handOver(response);
      return;
    }
    if (request.method !== 'POST' || request.url !== COMMAND_PATH) {
      response.writeHead(404).end(`heddle: GET /engine, POST ${COMMAND_PATH} or POST /hand-over\n`);
      return;
    }
    const parsed = v.safeParse(CommandRequest, parseJson(await readBody(request)));
    if (!parsed.success) {
      response.writeHead(400).end('heddle: expected {"argv": [argument, …]}\n');
      return;
    }
    response.setHeader('content-type', 'application/x-ndjson');
    const send = (line: v.InferOutput<typeof OutputLine>) => response.write(`${JSON.stringify(line)}\n`);
    const exit = await this.#needs.run(parsed.output.argv, {
      stdout: { write: (out) => send({ out }) },
      stderr: { write: (err) => send({ err }) },
    });
    send({ exit });
    response.end();
  }
}

/** The umask makes the socket private when it is bound; before a chmod another user could connect. Binding is synchronous. */
function listenPrivately(server: Server, path: string, listening: () => void): void {
  const before = process.umask(0o777 & ~MODE);
  try {
    server.listen(path, listening);
  } finally {
    process.umask(before);
  }
}

const isOurs = (found: Stats): boolean =>
  found.isSocket() && found.uid === process.geteuid?.() && (found.mode & 0o777) === MODE;

/** True when no process listens. A socket with a full queue, or one that cannot be opened, may be in use. */
function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket
      .once('connect', () => resolve(false))
      .on('error', (error) => {
        resolve(systemCode(error) === 'ECONNREFUSED');
      });
    socket.once('connect', () => socket.destroy());
  });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > COMMAND_LIMIT_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

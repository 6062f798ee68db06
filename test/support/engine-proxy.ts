import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryFolder } from './folder.ts';

const ENGINE = '/var/run/docker.sock';

const PAGE =
  '<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n';
const FORBIDDEN = [
  'HTTP/1.1 403 Forbidden',
  'content-type: text/html',
  `content-length: ${PAGE.length}`,
  '',
  PAGE,
].join('\r\n');

/** A socket in front of the world's engine that can disturb the stream of events as a bad line would. */
export class EngineProxy {
  readonly #folder: TemporaryFolder;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The daemon's ends of streams of events. */
  readonly #streams = new Set<Socket>();
  /** Bytes that streams may still pass before they are cut, one number a cut; empty: none is cut. */
  #cuts: number[] = [];
  #made = 0;
  /** Paths that are refused with a page of HTML, as a read-only proxy does. */
  refuses: RegExp | undefined;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.#server = createServer((client) => this.#connect(client));
  }

  static async start(): Promise<EngineProxy> {
    const proxy = new EngineProxy(await temporaryFolder());
    await new Promise<void>((resolve) => proxy.#server.listen(proxy.#path, resolve));
    return proxy;
  }

  /** As DOCKER_HOST names it. */
  get address(): string {
    return `unix://${this.#path}`;
  }

  get #path(): string {
    return join(this.#folder.path, 'docker.sock');
  }

  /** How many cuts were made. */
  get cuts(): number {
    return this.#made;
  }

  /** Breaks the stream after so many further bytes, and the one after it after the next number. */
  cutAfter(bytes: readonly number[]): void {
    this.#cuts = [...bytes];
  }

  /** Puts lines into the stream, as if the engine had sent them. */
  inject(lines: readonly string[]): void {
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    for (const stream of this.#streams) {
      stream.write(`${text.length.toString(16)}\r\n`);
      stream.write(text);
      stream.write('\r\n');
    }
  }

  #connect(client: Socket): void {
    const engine = createConnection(ENGINE);
    const end = () => {
      client.destroy();
      engine.destroy();
      this.#streams.delete(client);
      this.#sockets.delete(client);
    };
    this.#sockets.add(client);
    for (const socket of [client, engine]) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      if (/^GET \S*\/events\?/.test(bytes.toString('latin1'))) this.#streams.add(client);
      const [, path = ''] = /^[A-Z]+ (\S+) HTTP/.exec(bytes.toString('latin1')) ?? [];
      if (this.refuses?.test(path)) client.write(FORBIDDEN);
      else engine.write(bytes);
    });
    engine.on('data', (bytes) => {
      const left = this.#cuts[0];
      if (left === undefined || !this.#streams.has(client)) {
        client.write(bytes);
      } else if (bytes.length < left) {
        this.#cuts[0] = left - bytes.length;
        client.write(bytes);
      } else {
        this.#cuts.shift();
        this.#made++;
        client.write(bytes.subarray(0, left), end);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#folder[Symbol.asyncDispose]();
  }
}

import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryFolder } from './folder.ts';
import type { Deed } from './raw-server.ts';

/** A socket in front of an engine or of Consul that answers some requests itself, badly; all others are passed on. */
export class FaultProxy {
  readonly #folder: TemporaryFolder;
  readonly #connect: () => Socket;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #deed: Deed = () => {};
  /** How many of the next requests get a bad answer. */
  left = 0;

  private constructor(folder: TemporaryFolder, connect: () => Socket) {
    this.#folder = folder;
    this.#connect = connect;
    this.#server = createServer((client) => this.#serve(client));
  }

  /** @param connect connects to the server behind it */
  static async start(connect: () => Socket): Promise<FaultProxy> {
    const proxy = new FaultProxy(await temporaryFolder(), connect);
    await new Promise<void>((resolve) => proxy.#server.listen(proxy.path, resolve));
    return proxy;
  }

  /** The proxy of the world's engine. */
  static ofEngine = (): Promise<FaultProxy> =>
    FaultProxy.start(() => createConnection('/var/run/docker.sock'));

  get path(): string {
    return join(this.#folder.path, 'proxy.sock');
  }

  /** Does this with so many of the next requests. */
  arm(deed: Deed, times: number): void {
    this.#deed = deed;
    this.left = times;
  }

  /** Ends every connection, as a restart of the server does: pending requests are sent again. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(client: Socket): void {
    const behind = this.#connect();
    const end = () => {
      for (const socket of [client, behind]) {
        socket.destroy();
        this.#sockets.delete(socket);
      }
    };
    for (const socket of [client, behind]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (bytes) => {
      if (this.left > 0 && /^(?:GET|POST|PUT|DELETE) \S+ HTTP/.test(bytes.toString('latin1'))) {
        this.left--;
        this.#deed(client);
      } else behind.write(bytes);
    });
    behind.on('data', (bytes) => client.write(bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#folder[Symbol.asyncDispose]();
  }
}

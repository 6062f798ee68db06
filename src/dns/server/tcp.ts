import { createServer, type Server, type Socket } from 'node:net';
import type { ListenAddress } from '../listen.ts';
import { TcpConnection, type TcpTimes } from './tcp-connection.ts';
import { type ShareLimits, Shares } from './tcp-shares.ts';
import { WaitingRoom } from './tcp-waiting.ts';
import { Turns } from './turns.ts';

/** Answers one packet; undefined means that no answer is sent. Never throws. */
export type Respond = (
  packet: Buffer,
  client: string,
  transport: 'udp' | 'tcp',
) => Buffer | undefined | Promise<Buffer | undefined>;

export type TcpLimits = ShareLimits & TcpTimes;

/** Like Consul, closes idle connections after 8 s. */
export const TCP_LIMITS: TcpLimits = {
  connections: 512,
  connectionsPerClient: 64,
  idleMs: 8_000,
  totalMs: 120_000,
};

/** DNS over TCP on one address (RFC 7766): pipelined queries, each answered when its answer is ready. */
export class TcpListener {
  readonly #respond: Respond;
  readonly #limits: TcpLimits;
  readonly #shares: Shares<TcpConnection>;
  readonly #turns = new Turns();
  readonly #waiting = new WaitingRoom();
  #server: Server | undefined;

  constructor(respond: Respond, limits: TcpLimits = TCP_LIMITS) {
    this.#respond = respond;
    this.#limits = limits;
    this.#shares = new Shares(limits);
  }

  /** Resolves with the port when bound; rejects with the system's error. */
  listen({ ip, port }: ListenAddress): Promise<number> {
    // The answer to a query may be ready only after its client has closed its half.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: ip, port, ipv6Only: true }, () => {
        server.removeListener('error', reject);
        // A failed accept (no file descriptors left) affects one connection; the next may succeed.
        server.on('error', () => {});
        this.#server = server;
        resolve((server.address() as { port: number }).port);
      });
    });
  }

  close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#waiting.close();
    for (const connection of [...this.#shares]) connection.evict();
    if (!server) return Promise.resolve();
    return new Promise((resolve) => server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const client = socket.remoteAddress;
    // A client that has already disconnected has no address.
    if (client === undefined) {
      socket.destroy();
      return;
    }
    if (this.#shares.isFull(client)) this.#waiting.enter(client, socket, () => this.#open(client, socket));
    else this.#open(client, socket);
  }

  #open(client: string, socket: Socket): void {
    const share = this.#shares.shareWithRoom(client);
    const connection = new TcpConnection(
      {
        socket,
        share,
        turns: this.#turns,
        respond: (packet) => this.#respond(packet, client, 'tcp'),
        onUsed: () => this.#shares.use(share, connection),
        onGone: () => this.#shares.remove(share, connection),
      },
      this.#limits,
    );
    this.#shares.add(share, connection);
  }
}

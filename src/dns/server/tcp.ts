import { createServer, type Server, type Socket } from 'node:net';
import type { ListenAddress } from '../listen.ts';
import { FrameReader, frame } from '../wire/frames.ts';

/** Answers one packet; undefined means silence. Never throws. */
export type Respond = (
  packet: Buffer,
  client: string,
  transport: 'udp' | 'tcp',
) => Buffer | undefined | Promise<Buffer | undefined>;

export interface TcpLimits {
  /** Open connections in all, and from one client. */
  readonly connections: number;
  readonly connectionsPerClient: number;
  /** Milliseconds without a byte either way. */
  readonly idleMs: number;
}

/** Consul closes idle connections after 8 s, too. */
export const TCP_LIMITS: TcpLimits = { connections: 512, connectionsPerClient: 128, idleMs: 8_000 };

/** One question and one OPT record take less than 600 bytes. */
const MAX_QUERY_BYTES = 4096;
/** Queries of one connection that are answered at the same time; the others wait unread. */
const MAX_PIPELINED = 64;

/** DNS over TCP on one address (RFC 7766): pipelined queries, each answered when its answer is ready. */
export class TcpListener {
  readonly #respond: Respond;
  readonly #limits: TcpLimits;
  readonly #connections = new Map<Socket, string>();
  #server: Server | undefined;

  constructor(respond: Respond, limits: TcpLimits = TCP_LIMITS) {
    this.#respond = respond;
    this.#limits = limits;
  }

  /** Resolves with the port when bound; rejects with the system's error. */
  listen({ ip, port }: ListenAddress): Promise<number> {
    // The answer to a query may come after its sender has closed its half.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: ip, port, ipv6Only: true }, () => {
        server.removeListener('error', reject);
        // Failed accepts (no descriptors left) concern one connection; the next may succeed.
        server.on('error', () => {});
        this.#server = server;
        resolve((server.address() as { port: number }).port);
      });
    });
  }

  close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#connections.keys()) socket.destroy();
    if (!server) return Promise.resolve();
    return new Promise((resolve) => server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const client = socket.remoteAddress;
    const ofClient = [...this.#connections.values()].filter((other) => other === client).length;
    const { connections, connectionsPerClient, idleMs } = this.#limits;
    // A client that has hung up already has no address.
    if (client === undefined || this.#connections.size >= connections || ofClient >= connectionsPerClient) {
      socket.destroy();
      return;
    }
    this.#connections.set(socket, client);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(idleMs, () => socket.destroy());
    serve(socket, (packet) => this.#respond(packet, client, 'tcp'));
  }
}

/** Answers the queries of one connection until it is closed. */
function serve(
  socket: Socket,
  respond: (packet: Buffer) => Buffer | undefined | Promise<Buffer | undefined>,
): void {
  const reader = new FrameReader(MAX_QUERY_BYTES);
  const waiting: Buffer[] = [];
  let [pending, ended] = [0, false];

  const pump = () => {
    // Neither more answers than the client reads, nor more questions than we answer, pile up here.
    while (pending < MAX_PIPELINED && !socket.writableNeedDrain && waiting.length > 0) {
      void answer(waiting.shift() as Buffer);
    }
    if (waiting.length > 0) socket.pause();
    else if (ended && pending === 0) socket.end();
    else socket.resume();
  };
  const answer = async (packet: Buffer) => {
    pending += 1;
    const reply = await respond(packet);
    pending -= 1;
    if (reply && socket.writable) socket.write(frame(reply));
    pump();
  };

  socket.on('data', (chunk) => {
    try {
      waiting.push(...reader.push(chunk));
      pump();
    } catch {
      socket.destroy();
    }
  });
  socket.on('drain', pump);
  socket.on('end', () => {
    ended = true;
    pump();
  });
}

import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { ListenAddress } from './listen.ts';
import type { Respond } from './tcp.ts';

/** DNS over UDP on one address. */
export class UdpListener {
  readonly #respond: Respond;
  #socket: Socket | undefined;

  constructor(respond: Respond) {
    this.#respond = respond;
  }

  /** Resolves with the port when bound; rejects with the system's error. */
  listen({ ip, port }: ListenAddress): Promise<number> {
    const socket = openSocket(ip);
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address: ip, port }, () => {
        socket.removeAllListeners('error');
        // A reply that cannot be sent (client gone, no route) concerns that client alone.
        socket.on('error', () => {});
        socket.on('message', (packet, { address, port: clientPort }) => {
          const reply = this.#respond(packet, address, 'udp');
          if (reply instanceof Promise) void this.#send(socket, reply, address, clientPort);
          else if (reply) socket.send(reply, clientPort, address);
        });
        this.#socket = socket;
        resolve(socket.address().port);
      });
    });
  }

  close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    return socket ? new Promise((resolve) => socket.close(() => resolve())) : Promise.resolve();
  }

  async #send(
    socket: Socket,
    coming: Promise<Buffer | undefined>,
    client: string,
    port: number,
  ): Promise<void> {
    const reply = await coming;
    // The server may have been stopped while another server thought about the answer.
    if (reply && socket === this.#socket) socket.send(reply, port, client);
  }
}

/** An unbound UDP socket of the address's family that never asks the system's resolver about an address. */
export function openSocket(ip: string): Socket {
  const family = isIPv6(ip) ? 6 : 4;
  return createSocket({
    type: `udp${family}`,
    ipv6Only: family === 6,
    // dgram looks up even numeric addresses for each send; ours are always numeric.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
}

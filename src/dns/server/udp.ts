import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../listen.ts';
import { MAX_DATAGRAM } from './datagrams.ts';
import { loadKernelUdp } from './kernel-udp.ts';
import type { Respond } from './tcp.ts';
import { UdpBatch } from './udp-batch.ts';

export interface UdpOptions {
  /** Whether each system call receives many datagrams, if the platform supports it; default false. */
  readonly batched?: boolean;
}

/** DNS over UDP on one address. */
export class UdpListener {
  readonly #respond: Respond;
  readonly #wantsBatches: boolean;
  #socket: Socket | undefined;
  #batch: UdpBatch | undefined;

  constructor(respond: Respond, { batched = false }: UdpOptions = {}) {
    this.#respond = respond;
    this.#wantsBatches = batched;
  }

  /** Whether each system call currently receives many datagrams. */
  get isBatched(): boolean {
    return this.#batch !== undefined;
  }

  /** Resolves with the port when bound; rejects with the system's error. */
  async listen(address: ListenAddress): Promise<number> {
    const kernel = this.#wantsBatches ? await loadKernelUdp() : undefined;
    const descriptor = kernel?.open(address);
    const socket = openSocket(address.ip);
    const bound = once(socket, 'listening');
    try {
      if (descriptor === undefined) socket.bind({ address: address.ip, port: address.port });
      else socket.bind({ fd: descriptor });
      await bound;
    } catch (error) {
      socket.close();
      if (descriptor !== undefined) kernel?.close(descriptor);
      throw error;
    }
    // A reply that cannot be sent (client gone, no route) affects only that client.
    socket.on('error', () => {});
    if (kernel && descriptor !== undefined) {
      // dgram sets SO_REUSEADDR on a socket that it adopts.
      kernel.forbidSharing(descriptor);
      this.#batch = new UdpBatch(kernel, descriptor, isIPv6(address.ip) ? 6 : 4, this.#respond);
    }
    this.#socket = socket;
    socket.on('message', (packet, { address: client, port }) => {
      if (packet.length > MAX_DATAGRAM) return;
      const batch = this.#batch;
      // Only Node can map a zone name to its number (fe80::1%eth0).
      if (batch && !client.includes('%')) batch.answer(packet, client, port);
      else this.#answer(socket, packet, client, port);
      // More datagrams usually follow the one that made the socket readable.
      batch?.drain();
    });
    return socket.address().port;
  }

  close(): Promise<void> {
    const socket = this.#socket;
    this.#batch?.close();
    [this.#socket, this.#batch] = [undefined, undefined];
    return socket ? new Promise((resolve) => socket.close(() => resolve())) : Promise.resolve();
  }

  #answer(socket: Socket, packet: Buffer, client: string, port: number): void {
    const reply = this.#respond(packet, client, 'udp');
    if (reply instanceof Promise) void this.#send(socket, reply, client, port);
    else if (reply) sendTo(socket, reply, client, port);
  }

  async #send(
    socket: Socket,
    coming: Promise<Buffer | undefined>,
    client: string,
    port: number,
  ): Promise<void> {
    const reply = await coming;
    // The listener may have been closed while an upstream server prepared the answer.
    if (reply && socket === this.#socket) sendTo(socket, reply, client, port);
  }
}

/** A packet may have any sender, even port 0: dgram throws for addresses that cannot receive. */
function sendTo(socket: Socket, reply: Buffer, client: string, port: number): void {
  try {
    socket.send(reply, port, client);
  } catch {
    // The reply counts as lost on the way.
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

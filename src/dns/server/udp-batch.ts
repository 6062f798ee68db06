import { Datagrams, MAX_DATAGRAM } from './datagrams.ts';
import type { KernelUdp } from './kernel-udp.ts';
import { ClientAddresses, type Family } from './sockaddr.ts';
import type { Respond } from './tcp.ts';

/** Datagrams per system call. */
const BATCH = 64;
/** Batches in one turn of the event loop: a few milliseconds at most, since timers and other sockets wait. */
const MAX_ROUNDS = 8;
/** The same in milliseconds, for slow questions: other sockets wait no longer than this. */
const TURN_MS = 5;

/**
 * Answers the datagrams that wait on a UDP socket, many per system call, and sends the answers the same way. The caller
 * polls the socket and calls `drain` when it is readable.
 */
export class UdpBatch {
  readonly #kernel: KernelUdp;
  readonly #socket: number;
  readonly #respond: Respond;
  readonly #clients: ClientAddresses;
  readonly #inbox: Datagrams;
  readonly #outbox: Datagrams;
  #waiting = 0;
  #rounds = 0;
  #turnEnd = 0;
  #turn: NodeJS.Immediate | undefined;
  #isClosed = false;

  constructor(kernel: KernelUdp, socket: number, family: Family, respond: Respond) {
    this.#kernel = kernel;
    this.#socket = socket;
    this.#respond = respond;
    this.#clients = new ClientAddresses(family);
    this.#inbox = new Datagrams(BATCH, family, kernel.addressOf);
    this.#outbox = new Datagrams(BATCH, family, kernel.addressOf);
  }

  /** Answers a datagram that the caller has read; the answer is sent by the next call of `drain`. */
  answer(packet: Buffer, client: string, port: number): void {
    this.#answer(packet, client, this.#clients.sockaddrOf(client, port));
  }

  /** Answers the waiting datagrams; any beyond this turn's share are left for the next turn. */
  drain(): void {
    while (!this.#isTurnOver() && !this.#isClosed) {
      // Whatever the error, the socket's next readable event calls this again.
      const count = this.#kernel.receive(this.#socket, this.#inbox.headers, BATCH);
      if (count <= 0) break;
      this.#rounds += 1;
      this.#endTurnLater();
      for (let index = 0; index < count; index += 1) this.#take(index);
      this.#flush();
      if (count < BATCH) return;
    }
    this.#flush();
  }

  #isTurnOver(): boolean {
    if (this.#rounds === 0) this.#turnEnd = performance.now() + TURN_MS;
    return this.#rounds >= MAX_ROUNDS || performance.now() > this.#turnEnd;
  }

  /** Must be called before the socket is closed: its descriptor may be reused at once. */
  close(): void {
    this.#isClosed = true;
    clearImmediate(this.#turn);
  }

  #take(index: number): void {
    const packet = this.#inbox.received(index);
    if (packet === undefined) return;
    const sender = this.#inbox.sockaddr(index);
    this.#answer(packet, this.#clients.textOf(sender), sender);
  }

  #answer(packet: Buffer, client: string, sockaddr: Buffer): void {
    const reply = this.#respond(packet, client, 'udp');
    if (reply instanceof Promise) void this.#sendLater(reply, Buffer.from(sockaddr));
    else if (reply) this.#put(reply, sockaddr);
  }

  /** Answers that are ready in the same turn are sent together at its end. */
  async #sendLater(coming: Promise<Buffer | undefined>, receiver: Buffer): Promise<void> {
    const reply = await coming;
    if (reply === undefined || this.#isClosed) return;
    this.#put(reply, receiver);
    this.#endTurnLater();
  }

  #put(reply: Buffer, receiver: Uint8Array): void {
    // No answer is longer: ours have this limit, and relayed ones are truncated to it.
    if (reply.length > MAX_DATAGRAM) return;
    if (this.#waiting === BATCH) this.#flush();
    this.#outbox.put(this.#waiting, reply, receiver);
    this.#waiting += 1;
  }

  #flush(): void {
    const count = this.#waiting;
    this.#waiting = 0;
    for (let sent = 0; sent < count; ) {
      const taken = this.#kernel.send(this.#socket, this.#outbox.headerOf(sent), count - sent);
      // An answer that cannot be sent (no route, no buffer space) is lost like any datagram: its client asks again.
      sent += Math.max(taken, 1);
    }
  }

  #endTurnLater(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#rounds = 0;
      this.#flush();
    });
  }
}

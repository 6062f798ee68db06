import type { Socket } from 'node:net';
import { FrameReader, frame } from '../wire/frames.ts';
import { HEADER_BYTES } from '../wire/message.ts';
import type { Evictable, Share } from './tcp-shares.ts';
import type { Turns, Worker } from './turns.ts';

export interface TcpConnectionNeeds {
  readonly socket: Socket;
  readonly share: Share<TcpConnection>;
  readonly turns: Turns;
  /** Answers one question; undefined means that no answer is sent. Never throws. */
  readonly respond: (packet: Buffer) => Buffer | undefined | Promise<Buffer | undefined>;
  /** Called for each complete question, and for each answer that the client has received. */
  readonly onUsed: () => void;
  /** Called, possibly more than once, when the connection is closed and when its last question is answered. */
  readonly onGone: () => void;
}

export interface TcpTimes {
  /** Milliseconds without a complete question, and without an answer that the client receives. */
  readonly idleMs: number;
  /** Milliseconds after which no more questions are read. */
  readonly totalMs: number;
}

/** One question and one OPT record take less than 600 bytes. */
const MAX_QUERY_BYTES = 4096;
/** Questions answered at the same time, per connection and per client; the others wait unread. */
const [MAX_PIPELINED, MAX_ANSWERING] = [64, 128];
/** Bytes of answers that one client has not received yet: beyond this, none of its questions is answered. */
const MAX_UNSENT_BYTES = 1 << 20;

/** One connection of a client: pipelined questions (RFC 7766 §6.2.1.1), each answered when its answer is ready. */
export class TcpConnection implements Evictable, Worker {
  readonly #needs: TcpConnectionNeeds;
  readonly #questions = new FrameReader(MAX_QUERY_BYTES);
  readonly #idle: NodeJS.Timeout;
  readonly #total: NodeJS.Timeout;
  #answering = 0;
  #hasEnded = false;

  constructor(needs: TcpConnectionNeeds, { idleMs, totalMs }: TcpTimes) {
    const { socket } = needs;
    this.#needs = needs;
    this.#idle = setTimeout(() => this.#onIdle(), idleMs);
    this.#total = setTimeout(() => this.#endReading(), totalMs);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('drain', () => this.#continue());
    socket.on('end', () => this.#endReading());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(this.#idle);
      clearTimeout(this.#total);
      this.#leave();
    });
  }

  get owner(): object {
    return this.#needs.share;
  }

  get isBusy(): boolean {
    return this.#answering > 0;
  }

  evict(): void {
    this.#needs.socket.destroy();
    // The socket emits 'close' later, but its place is free now.
    this.#leave();
  }

  work(): void {
    const { share } = this.#needs;
    const question = this.#canAnswer() ? this.#next() : undefined;
    if (question === undefined) {
      this.#continue();
      return;
    }
    share.answering += 1;
    this.#answering += 1;
    void this.#answer(question);
    this.#continue();
  }

  #leave(): void {
    this.#needs.turns.remove(this);
    this.#needs.onGone();
  }

  #receive(chunk: Buffer): void {
    if (this.#hasEnded) return;
    this.#questions.add(chunk);
    this.#continue();
  }

  async #answer(question: Buffer): Promise<void> {
    const { socket, share, respond } = this.#needs;
    this.#use();
    const reply = await respond(question);
    share.answering -= 1;
    this.#answering -= 1;
    if (reply && socket.writable) this.#send(frame(reply));
    this.#continue();
    this.#unpark();
    if (socket.destroyed) this.#needs.onGone();
  }

  #send(bytes: Buffer): void {
    const { socket, share } = this.#needs;
    share.unsentBytes += bytes.length;
    socket.write(bytes, (error) => {
      share.unsentBytes -= bytes.length;
      this.#unpark();
      if (!error) this.#use();
    });
  }

  /** Resumes connections of this client that waited for their share. */
  #unpark(): void {
    const { parked } = this.#needs.share;
    if (parked.size === 0 || !this.#hasShare()) return;
    const waiting = [...parked];
    parked.clear();
    for (const connection of waiting) connection.#continue();
  }

  #use(): void {
    this.#idle.refresh();
    this.#needs.onUsed();
  }

  /** Reads more, or answers the questions already read, whichever is possible. */
  #continue(): void {
    const { socket, share, turns } = this.#needs;
    if (socket.destroyed) return;
    if (this.#hasNext()) {
      socket.pause();
      if (this.#canAnswer()) turns.add(this);
      else if (!this.#hasShare()) share.parked.add(this);
    } else if (this.#hasEnded) {
      if (this.#answering === 0) socket.end();
    } else if (!socket.destroyed) socket.resume();
  }

  #canAnswer(): boolean {
    const { socket } = this.#needs;
    const isOpen = !socket.destroyed && !socket.writableNeedDrain;
    return isOpen && this.#answering < MAX_PIPELINED && this.#hasShare();
  }

  /** Whether the client's share allows one more question. */
  #hasShare(): boolean {
    const { share } = this.#needs;
    return share.answering < MAX_ANSWERING && share.unsentBytes < MAX_UNSENT_BYTES;
  }

  /** Data that is not a DNS message ends the connection. */
  #hasNext(): boolean {
    try {
      return this.#questions.hasNext;
    } catch {
      this.#needs.socket.destroy();
      return false;
    }
  }

  #next(): Buffer | undefined {
    const question = this.#questions.next();
    if (question === undefined || question.length >= HEADER_BYTES) return question;
    this.#needs.socket.destroy();
    return undefined;
  }

  /** A slow upstream server keeps the connection open; a slow client does not. */
  #onIdle(): void {
    const { socket } = this.#needs;
    if (this.isBusy && socket.writableLength === 0) this.#idle.refresh();
    else socket.destroy();
  }

  #endReading(): void {
    this.#hasEnded = true;
    this.#continue();
  }
}

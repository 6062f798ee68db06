import { HeddleError } from '../../errors.ts';

const LENGTH_BYTES = 2;

/** Splits a TCP stream into messages, each preceded by its length in two bytes (RFC 1035 §4.2.2). */
export class FrameReader {
  readonly #maxBytes: number;
  /** Received bytes that were not returned yet; concatenated once they are enough for a message. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** How many bytes the next message needs, or its length if that is not known yet. */
  #wanted = LENGTH_BYTES;

  /** A message longer than `maxBytes` is refused before it is read. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds a chunk and returns the messages that it completes. Throws `refused` for a message that is too long. */
  push(chunk: Buffer): Buffer[] {
    this.add(chunk);
    const messages: Buffer[] = [];
    for (let next = this.next(); next !== undefined; next = this.next()) messages.push(next);
    return messages;
  }

  /** Adds a chunk; `next` returns its messages one by one, since a chunk may hold thousands of short ones. */
  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next complete message, if there is one. Throws `refused` for a message that is too long. */
  next(): Buffer | undefined {
    if (!this.hasNext) return undefined;
    const whole = this.#whole();
    const message = whole.subarray(LENGTH_BYTES, this.#wanted);
    const rest = whole.subarray(this.#wanted);
    [this.#chunks, this.#bytes, this.#wanted] = [rest.length === 0 ? [] : [rest], rest.length, LENGTH_BYTES];
    return message;
  }

  /** Whether `next` would return a message. Throws `refused` for a message that is too long. */
  get hasNext(): boolean {
    if (this.#bytes < this.#wanted) return false;
    const length = this.#whole().readUInt16BE(0);
    if (length > this.#maxBytes) {
      throw new HeddleError('refused', `a message of ${length} bytes; at most ${this.#maxBytes} are read`);
    }
    this.#wanted = LENGTH_BYTES + length;
    return this.#bytes >= this.#wanted;
  }

  #whole(): Buffer {
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }
}

/** A message, preceded by its length. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + message.length);
  framed.writeUInt16BE(message.length, 0);
  framed.set(message, LENGTH_BYTES);
  return framed;
}

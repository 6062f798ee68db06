import { HeddleError } from '../../errors.ts';

const LENGTH_BYTES = 2;

/** Parts a TCP stream into messages, each behind its length in two bytes (RFC 1035 §4.2.2). */
export class FrameReader {
  readonly #maxBytes: number;
  /** What has come and was not taken; put together once there is enough of it for a message. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** So many bytes are needed for the next message, or for its length. */
  #wanted = LENGTH_BYTES;

  /** Messages longer than `maxBytes` are refused before they are read. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that are complete with this chunk. Throws `refused` at one that is too long. */
  push(chunk: Buffer): Buffer[] {
    this.add(chunk);
    const messages: Buffer[] = [];
    for (let next = this.next(); next !== undefined; next = this.next()) messages.push(next);
    return messages;
  }

  /** Takes a chunk, whose messages `next` returns one by one: a chunk of short ones holds thousands. */
  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next complete message, if there is one. Throws `refused` at one that is too long. */
  next(): Buffer | undefined {
    if (!this.hasNext) return undefined;
    const whole = this.#whole();
    const message = whole.subarray(LENGTH_BYTES, this.#wanted);
    const rest = whole.subarray(this.#wanted);
    [this.#chunks, this.#bytes, this.#wanted] = [rest.length === 0 ? [] : [rest], rest.length, LENGTH_BYTES];
    return message;
  }

  /** Whether `next` has something to return. Throws `refused` at a message that is too long. */
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

/** A message behind its length. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + message.length);
  framed.writeUInt16BE(message.length, 0);
  framed.set(message, LENGTH_BYTES);
  return framed;
}

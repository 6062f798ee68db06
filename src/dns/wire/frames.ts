import { HeddleError } from '../../errors.ts';

const LENGTH_BYTES = 2;

/** Parts a TCP stream into messages, each behind its length in two bytes (RFC 1035 §4.2.2). */
export class FrameReader {
  readonly #maxBytes: number;
  #rest: Buffer = Buffer.alloc(0);

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
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  /** The next complete message, if there is one. Throws `refused` at one that is too long. */
  next(): Buffer | undefined {
    const end = this.#end();
    if (end === undefined) return undefined;
    const message = this.#rest.subarray(LENGTH_BYTES, end);
    this.#rest = this.#rest.subarray(end);
    return message;
  }

  /** Whether `next` has something to return. Throws `refused` at a message that is too long. */
  get hasNext(): boolean {
    return this.#end() !== undefined;
  }

  #end(): number | undefined {
    if (this.#rest.length < LENGTH_BYTES) return undefined;
    const length = this.#rest.readUInt16BE(0);
    if (length > this.#maxBytes) {
      throw new HeddleError('refused', `a message of ${length} bytes; at most ${this.#maxBytes} are read`);
    }
    return this.#rest.length < LENGTH_BYTES + length ? undefined : LENGTH_BYTES + length;
  }
}

/** A message behind its length. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + message.length);
  framed.writeUInt16BE(message.length, 0);
  framed.set(message, LENGTH_BYTES);
  return framed;
}

import { type Family, SOCKADDR_BYTES } from './sockaddr.ts';

/** The longest datagram received or sent; one question and one OPT record take less than 600 bytes. */
export const MAX_DATAGRAM = 4096;

/** `struct mmsghdr` and `struct iovec` on 64-bit platforms: sizes, and offsets of the fields used here. */
const MMSGHDR = { bytes: 64, name: 0, nameLength: 8, vector: 16, vectors: 24, received: 56 } as const;
const IOVEC = { bytes: 16, base: 0, length: 8 } as const;

/**
 * Buffers for `count` datagrams with their senders or receivers, laid out once for recvmmsg and sendmmsg. The layout
 * stays valid between calls, since all addresses of one socket are equally long.
 */
export class Datagrams {
  readonly count: number;
  /** The memory address of the mmsghdr array. */
  readonly headers: number;
  readonly #headers: Buffer;
  readonly #vectors: Buffer;
  readonly #sockaddrs: Buffer;
  readonly #payloads: Buffer;
  readonly #sockaddrBytes: number;

  constructor(count: number, family: Family, addressOf: (buffer: Buffer) => number) {
    this.count = count;
    this.#sockaddrBytes = SOCKADDR_BYTES[family];
    this.#headers = Buffer.alloc(count * MMSGHDR.bytes);
    this.#vectors = Buffer.alloc(count * IOVEC.bytes);
    this.#sockaddrs = Buffer.alloc(count * this.#sockaddrBytes);
    this.#payloads = Buffer.alloc(count * MAX_DATAGRAM);
    this.headers = addressOf(this.#headers);
    const [vectors, sockaddrs, payloads] = [
      addressOf(this.#vectors),
      addressOf(this.#sockaddrs),
      addressOf(this.#payloads),
    ];
    for (let index = 0; index < count; index += 1) {
      const [header, vector] = [index * MMSGHDR.bytes, index * IOVEC.bytes];
      writePointer(this.#headers, header + MMSGHDR.name, sockaddrs + index * this.#sockaddrBytes);
      this.#headers.writeUInt32LE(this.#sockaddrBytes, header + MMSGHDR.nameLength);
      writePointer(this.#headers, header + MMSGHDR.vector, vectors + vector);
      this.#headers.writeUInt32LE(1, header + MMSGHDR.vectors);
      writePointer(this.#vectors, vector + IOVEC.base, payloads + index * MAX_DATAGRAM);
      this.#vectors.writeUInt32LE(MAX_DATAGRAM, vector + IOVEC.length);
    }
  }

  /** The memory address of one datagram's header. */
  headerOf(index: number): number {
    return this.headers + index * MMSGHDR.bytes;
  }

  /** A received datagram, overwritten by the next system call; undefined if it was too long. */
  received(index: number): Buffer | undefined {
    const length = this.#headers.readUInt32LE(index * MMSGHDR.bytes + MMSGHDR.received);
    const start = index * MAX_DATAGRAM;
    return length > MAX_DATAGRAM ? undefined : this.#payloads.subarray(start, start + length);
  }

  /** The socket address of a datagram, overwritten by the next system call. */
  sockaddr(index: number): Buffer {
    const start = index * this.#sockaddrBytes;
    return this.#sockaddrs.subarray(start, start + this.#sockaddrBytes);
  }

  /** Fills in one datagram to be sent. */
  put(index: number, message: Uint8Array, sockaddr: Uint8Array): void {
    this.#payloads.set(message, index * MAX_DATAGRAM);
    this.#vectors.writeUInt32LE(message.length, index * IOVEC.bytes + IOVEC.length);
    this.#sockaddrs.set(sockaddr, index * this.#sockaddrBytes);
  }
}

function writePointer(into: Buffer, at: number, pointer: number): void {
  into.writeBigUInt64LE(BigInt(pointer), at);
}

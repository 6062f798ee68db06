/**
 * Netlink's framing (linux/netlink.h): a header of 16 bytes, a fixed body, then attributes, all padded to four bytes.
 * Numbers are in the machine's byte order, which is little-endian on every platform with a koffi build.
 */

/** A request before it has a sequence number. */
export interface Request {
  readonly type: number;
  /** In addition to NLM_F_REQUEST. */
  readonly flags: number;
  readonly body: Buffer;
  /** Names of kernel errors that count as success for this request: `EEXIST` when adding. */
  readonly tolerated?: readonly string[];
}

/** A message from the kernel. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** linux/netlink.h */
export const NLMSG = { ERROR: 2, DONE: 3 } as const;
export const NLM_F = {
  REQUEST: 0x1,
  ACK: 0x4,
  DUMP_INTR: 0x10,
  EXCL: 0x200,
  DUMP: 0x300,
  CREATE: 0x400,
  ACK_TLVS: 0x200,
} as const;

const HEADER = 16;
const padded = (length: number): number => (length + 3) & ~3;

export function encode({ type, flags, body }: Request, sequence: number): Buffer {
  const bytes = Buffer.alloc(padded(HEADER + body.length));
  bytes.writeUInt32LE(HEADER + body.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags | NLM_F.REQUEST, 6);
  bytes.writeUInt32LE(sequence, 8);
  body.copy(bytes, HEADER);
  return bytes;
}

/** The messages of one datagram. Bodies are copies, so the receive buffer can be reused. */
export function decode(datagram: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + HEADER <= datagram.length; ) {
    const length = datagram.readUInt32LE(at);
    if (length < HEADER || at + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      body: Buffer.from(datagram.subarray(at + HEADER, at + length)),
    });
    at += padded(length);
  }
  return messages;
}

/** Encodes one attribute. Numbers become u32, strings end with a zero byte, nested attributes are plain bytes. */
export function attribute(type: number, ...values: readonly (number | string | Uint8Array)[]): Buffer {
  const value = Buffer.concat(values.map(bytesOf));
  const bytes = Buffer.alloc(padded(4 + value.length));
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

function bytesOf(value: number | string | Uint8Array): Uint8Array {
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  return typeof value === 'number' ? u32(value) : value;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** The top two bits of a type are the flags "nested" and "network byte order", not part of the type. */
const TYPE_MASK = 0x3fff;

/** Attributes by type; the last one wins. */
export function attributes(bytes: Buffer, offset = 0): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = offset; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) break;
    found.set(bytes.readUInt16LE(at + 2) & TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += padded(length);
  }
  return found;
}

/** Decodes a string attribute up to its zero byte. */
export function textOf(value: Buffer | undefined): string {
  if (!value) return '';
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

import type { Question } from '../zone.ts';
import { readEdns } from './edns.ts';
import { readName } from './name.ts';
import { className, typeName } from './types.ts';

/** The length of a message's header (RFC 1035 §4.1.1). */
export const HEADER_BYTES = 12;
/** The length of type and class, which follow the name of a question. */
export const TYPE_AND_CLASS_BYTES = 4;

/** Header bits, as masks of the header's second 16 bits. */
export const FLAGS = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
  rcode: 0x000f,
} as const;

const FORMERR = 1;
const NOTIMP = 4;

/** A query that can be answered. */
export interface Query {
  readonly id: number;
  readonly question: Question;
}

/**
 * The content of a packet: a query, or a malformed or unsupported one that gets the twelve bytes of `rejection`.
 * Undefined for packets that get no answer: those without a header, and responses. Two servers that answered each
 * other's responses would never stop.
 */
export type Received = { readonly query: Query } | { readonly rejection: Buffer } | undefined;

/** Reads one packet as a query from `client`. Never throws. */
export function readQuery(packet: Buffer, client: string, transport: 'udp' | 'tcp'): Received {
  if (packet.length < HEADER_BYTES) return undefined;
  const flags = packet.readUInt16BE(2);
  if (flags & FLAGS.response) return undefined;
  if (flags & FLAGS.opcode) return { rejection: reject(packet, NOTIMP) };
  const read = readQuestion(packet);
  const edns = read && readEdns(packet);
  if (!edns) return { rejection: reject(packet, FORMERR) };
  const question: Question = {
    ...read,
    client,
    transport,
    recursionDesired: (flags & FLAGS.recursionDesired) !== 0,
    checkingDisabled: (flags & FLAGS.checkingDisabled) !== 0,
    ...((flags & FLAGS.authenticData) !== 0 && { authenticData: true }),
    ...(edns !== 'none' && { edns }),
  };
  return { query: { id: packet.readUInt16BE(0), question } };
}

/** Only the header, as a response with the query's id, opcode and RD bit. */
function reject(packet: Buffer, rcode: number): Buffer {
  const reply = Buffer.alloc(HEADER_BYTES);
  const kept = packet.readUInt16BE(2) & (FLAGS.opcode | FLAGS.recursionDesired);
  reply.writeUInt16BE(packet.readUInt16BE(0), 0);
  reply.writeUInt16BE(FLAGS.response | kept | rcode, 2);
  return reply;
}

function readQuestion(packet: Buffer) {
  if (packet.readUInt16BE(4) !== 1) return undefined;
  const wire = readName(packet, HEADER_BYTES);
  if (!wire || wire.end + TYPE_AND_CLASS_BYTES > packet.length) return undefined;
  const asked = wire.labels.join('.');
  const labels = wire.labels.map((label) => label.toLowerCase());
  return {
    labels,
    name: labels.join('.'),
    asked,
    type: typeName(packet.readUInt16BE(wire.end)),
    class: className(packet.readUInt16BE(wire.end + 2)),
    bytes: Uint8Array.from(packet.subarray(HEADER_BYTES, wire.end + TYPE_AND_CLASS_BYTES)),
  };
}

import { type Opt, optRecord } from '../wire/edns.ts';
import { FLAGS, HEADER_BYTES, type Query } from '../wire/message.ts';
import { eachRecord } from '../wire/records.ts';
import { sizeLimit } from '../wire/reply.ts';
import { rewritten } from '../wire/rewritten.ts';
import type { Edns } from '../zone.ts';

/**
 * Turns another server's message, without its OPT record, into the reply to `query`. The records stay unchanged; id,
 * question and OPT are the client's. The question has the same length in both, so compression pointers stay valid. A
 * message that is too large for the client is compressed and, if necessary, cut to whole answers with TC set. The
 * client's size limit bounds the work, whatever the size of the message.
 */
export function relay(query: Query, message: Uint8Array, recursionAvailable: boolean): Buffer {
  const { question } = query;
  const { edns } = question;
  const opt = edns ? optRecord(answering(edns)) : undefined;
  const room = sizeLimit(question, recursionAvailable) - (opt?.length ?? 0);
  const reply = fitted(message, HEADER_BYTES + question.bytes.length, room, opt);
  // AD is only for clients that asked for it, with the AD bit or with DO (RFC 6840 §5.8).
  const proof = question.authenticData || edns?.dnssecOk ? FLAGS.authenticData : 0;
  const asked = question.recursionDesired ? FLAGS.recursionDesired : 0;
  const disabled = question.checkingDisabled ? FLAGS.checkingDisabled : 0;
  const kept = reply.readUInt16BE(2) & (proof | FLAGS.truncated | FLAGS.rcode);
  reply.writeUInt16BE(query.id, 0);
  const available = recursionAvailable ? FLAGS.recursionAvailable : 0;
  reply.writeUInt16BE(FLAGS.response | available | asked | disabled | kept, 2);
  reply.set(question.bytes, HEADER_BYTES);
  if (edns) reply.writeUInt16BE(reply.readUInt16BE(10) + 1, 10);
  return reply;
}

/** A copy of the message of at most `room` bytes, followed by the OPT record. */
function fitted(message: Uint8Array, questionEnd: number, room: number, opt?: Uint8Array): Buffer {
  const source = Buffer.from(message.buffer, message.byteOffset, message.length);
  const fits = source.length <= room;
  const all = fits ? source : rewritten(source, questionEnd, eachRecord(source, questionEnd), room);
  if (opt) return Buffer.concat([all, opt]);
  return fits ? Buffer.from(all) : all;
}

/**
 * DO is echoed because the records that it requests may follow (RFC 3225 §3). The client's subnet was sent to no server,
 * so the answer holds for all subnets (RFC 7871 §7.2.2).
 */
function answering({ udpSize, dnssecOk, clientSubnet }: Edns): Opt {
  return { udpSize, dnssecOk, clientSubnet };
}

/** The response code in a relayed message. */
export function relayedRcode(message: Uint8Array): number {
  return (message[3] ?? 0) & FLAGS.rcode;
}

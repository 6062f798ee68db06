import { type Opt, optRecord } from '../wire/edns.ts';
import { FLAGS, HEADER_BYTES, type Query } from '../wire/message.ts';
import { eachRecord } from '../wire/records.ts';
import { sizeLimit } from '../wire/reply.ts';
import { rewritten } from '../wire/rewritten.ts';
import type { Edns } from '../zone.ts';

/**
 * Another server's message, without its OPT record, as the reply to `query`: its records untouched, id, question and
 * OPT the asker's own. The question has the same length in both, so compression pointers into the message stay true.
 * What does not fit the asker is compressed and, if need be, cut to whole answers, with TC set. The work is bounded by
 * what the asker takes, whatever the size of the message.
 */
export function relay(query: Query, message: Uint8Array, recursionAvailable: boolean): Buffer {
  const { question } = query;
  const { edns } = question;
  const opt = edns ? optRecord(answering(edns)) : undefined;
  const room = sizeLimit(question, recursionAvailable) - (opt?.length ?? 0);
  const reply = fitted(message, HEADER_BYTES + question.bytes.length, room, opt);
  // AD is for who asked for it, by the bit itself or by DO (RFC 6840 §5.8).
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

/** A copy of the message of at most `room` bytes, and the OPT record behind it. */
function fitted(message: Uint8Array, questionEnd: number, room: number, opt?: Uint8Array): Buffer {
  const source = Buffer.from(message.buffer, message.byteOffset, message.length);
  const fits = source.length <= room;
  const all = fits ? source : rewritten(source, questionEnd, eachRecord(source, questionEnd), room);
  if (opt) return Buffer.concat([all, opt]);
  return fits ? Buffer.from(all) : all;
}

/**
 * DO is echoed where the records that it asks for may follow (RFC 3225 §3). The subnet was told to nobody, so that the
 * answer is for all (RFC 7871 §7.2.2).
 */
function answering({ udpSize, dnssecOk, clientSubnet }: Edns): Opt {
  return { udpSize, dnssecOk, clientSubnet };
}

/** The response code in a relayed message. */
export function relayedRcode(message: Uint8Array): number {
  return (message[3] ?? 0) & FLAGS.rcode;
}

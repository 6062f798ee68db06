import { compressed } from '../wire/compressed.ts';
import { type Opt, optRecord } from '../wire/edns.ts';
import { FLAGS, HEADER_BYTES, type Query } from '../wire/message.ts';
import { recordsOf } from '../wire/records.ts';
import { sizeLimit } from '../wire/reply.ts';
import type { Edns } from '../zone.ts';

/**
 * Another server's message, without its OPT record, as the reply to `query`: its records untouched, id, question and
 * OPT the asker's own. The question has the same length in both, so compression pointers into the message stay true.
 * What does not fit the asker is compressed, where it can be, and then cut to whole answers, with TC set.
 */
export function relay(query: Query, message: Uint8Array, recursionAvailable: boolean): Buffer {
  const { question } = query;
  const { edns } = question;
  const reply = Buffer.from(message);
  const asked = question.recursionDesired ? FLAGS.recursionDesired : 0;
  const disabled = question.checkingDisabled ? FLAGS.checkingDisabled : 0;
  const kept = reply.readUInt16BE(2) & (FLAGS.authenticData | FLAGS.truncated | FLAGS.rcode);
  reply.writeUInt16BE(query.id, 0);
  const available = recursionAvailable ? FLAGS.recursionAvailable : 0;
  reply.writeUInt16BE(FLAGS.response | available | asked | disabled | kept, 2);
  reply.set(question.bytes, HEADER_BYTES);
  // DO is echoed where the records that it asks for may follow (RFC 3225 §3). The subnet was told to nobody, so that
  // the answer is for all (RFC 7871 §7.2.2).
  const opt = edns ? optRecord(answering(edns)) : Buffer.alloc(0);
  const room = sizeLimit(question, recursionAvailable) - opt.length;
  const smaller = reply.length > room ? compressed(query, reply, recursionAvailable) : undefined;
  if (smaller) return smaller;
  const fitting = reply.length <= room ? reply : cut(reply, HEADER_BYTES + question.bytes.length, room);
  if (edns) fitting.writeUInt16BE(fitting.readUInt16BE(10) + 1, 10);
  return Buffer.concat([fitting, opt]);
}

function answering({ udpSize, dnssecOk, clientSubnet }: Edns): Opt {
  return { udpSize, dnssecOk, clientSubnet };
}

function cut(reply: Buffer, start: number, room: number): Buffer {
  const answers = recordsOf(reply, start).filter(({ section }) => section === 'answer');
  const kept = answers.filter(({ end }) => end <= room);
  reply.writeUInt16BE(reply.readUInt16BE(2) | FLAGS.truncated, 2);
  for (const [index, count] of [kept.length, 0, 0].entries()) reply.writeUInt16BE(count, 6 + 2 * index);
  return reply.subarray(0, kept.at(-1)?.end ?? start);
}

/** The response code in a relayed message. */
export function relayedRcode(message: Uint8Array): number {
  return (message[3] ?? 0) & FLAGS.rcode;
}

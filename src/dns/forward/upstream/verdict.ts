import { FLAGS, HEADER_BYTES, TYPE_AND_CLASS_BYTES } from '../../wire/message.ts';
import { fullRcode, recordsOf } from '../../wire/records.ts';
import { RCODES } from '../../zone.ts';
import { isLetterPair, type OutgoingQuery } from './outgoing.ts';

/**
 * What a message is for a query of ours: its `answer`; an `error`, which needs no question section; `case-changed` if
 * only the letter case of the question differs; `malformed` if it ends too early; `other` if it is late or forged.
 */
export type Verdict = 'answer' | 'error' | 'case-changed' | 'malformed' | 'other';

/** Checks header and question. The records of an answer are not checked. */
export function judge(query: OutgoingQuery, reply: Buffer): Verdict {
  if (reply.length < HEADER_BYTES || reply.readUInt16BE(0) !== query.message.readUInt16BE(0)) return 'other';
  const flags = reply.readUInt16BE(2);
  if (!(flags & FLAGS.response) || flags & FLAGS.opcode) return 'other';
  const questions = reply.readUInt16BE(4);
  if (questions > 1) return 'other';
  const question = questions === 0 ? 'none' : compareQuestion(query, reply);
  if (question === 'other') return 'other';
  // An error carries no data, so it needs no proof by its question or its letter case.
  if (isError(questions === 0 ? fullRcode(reply, recordsOf(reply, HEADER_BYTES)) : flags & FLAGS.rcode)) {
    return 'error';
  }
  if (question === 'none' || question === 'short') return 'malformed';
  return question;
}

/** Whether a code, with its upper bits, means that the server cannot answer. NXDOMAIN is an answer. */
export function isError(rcode: number): boolean {
  return rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN;
}

/** Whether the rest of an answer is available over TCP. */
export function isTruncated(reply: Buffer): boolean {
  return (reply.readUInt16BE(2) & FLAGS.truncated) !== 0;
}

function compareQuestion(
  { message, questionEnd }: OutgoingQuery,
  reply: Buffer,
): 'answer' | 'case-changed' | 'short' | 'other' {
  let result: 'answer' | 'case-changed' = 'answer';
  const end = Math.min(questionEnd, reply.length);
  for (let at = HEADER_BYTES; at < end; at += 1) {
    const [sent, echoed] = [message[at] as number, reply[at] as number];
    if (sent === echoed) continue;
    if (at >= questionEnd - TYPE_AND_CLASS_BYTES || !isLetterPair(sent, echoed)) return 'other';
    result = 'case-changed';
  }
  return reply.length < questionEnd ? 'short' : result;
}

import { randomBytes, randomInt } from 'node:crypto';
import { optRecord } from './edns.ts';
import { FLAGS, HEADER_BYTES } from './message.ts';
import { MessageWriter } from './writer.ts';
import type { Question } from './zone.ts';

/** A query of ours to another server. */
export interface OutgoingQuery {
  readonly message: Buffer;
  /** Offset behind its question. */
  readonly questionEnd: number;
}

/** Largest answer asked for over UDP: it passes every network in one piece (DNS flag day 2020). */
const UDP_SIZE = 1232;
/** Type and class, behind the name of a question. */
const TYPE_AND_CLASS_BYTES = 4;
/** What tells `a` from `A` in ASCII. */
const CASE_BIT = 0x20;

/**
 * The question as a query to an upstream, against forgers with a random id and its letters in random case. With an
 * OPT record that carries our mark, if one is given; the asker's own options stay here.
 */
export function outgoingQuery(question: Question, loopMark?: Uint8Array): OutgoingQuery {
  const { bytes, recursionDesired, checkingDisabled, edns } = question;
  const questionEnd = HEADER_BYTES + bytes.length;
  const opt = loopMark && optRecord({ udpSize: UDP_SIZE, dnssecOk: edns?.dnssecOk ?? false, loopMark });
  const writer = new MessageWriter(questionEnd + (opt?.length ?? 0));
  writer.uint16(randomInt(0x1_0000));
  writer.uint16(
    (recursionDesired ? FLAGS.recursionDesired : 0) | (checkingDisabled ? FLAGS.checkingDisabled : 0),
  );
  for (const count of [1, 0, 0, opt ? 1 : 0]) writer.uint16(count);
  writer.bytes(randomCase(bytes));
  if (opt) writer.bytes(opt);
  return { message: writer.finish(), questionEnd };
}

/** Gives a query that has not been sent another random id, and returns it. */
export function redrawId({ message }: OutgoingQuery): number {
  const id = randomInt(0x1_0000);
  message.writeUInt16BE(id, 0);
  return id;
}

/** Each letter in upper or lower case by chance (draft-vixie-dnsext-dns0x20). */
function randomCase(question: Uint8Array): Uint8Array {
  const chance = randomBytes(question.length).map((byte) => byte & CASE_BIT);
  // The lengths before the labels of a name are below every letter.
  const end = question.length - TYPE_AND_CLASS_BYTES;
  return question.map((byte, at) => (at < end && isLetter(byte) ? byte ^ (chance[at] ?? 0) : byte));
}

function isLetter(byte: number): boolean {
  const lower = byte | CASE_BIT;
  return lower >= 0x61 && lower <= 0x7a;
}

/**
 * What a message is to our query: its `answer`, `other` (late, or forged), or `misspelt` when only the letter case
 * of the question is wrong: by a server that does not keep it, or a forger who could not know it.
 */
export function judge(
  { message, questionEnd }: OutgoingQuery,
  reply: Buffer,
): 'answer' | 'misspelt' | 'other' {
  if (reply.length < questionEnd || reply.readUInt16BE(0) !== message.readUInt16BE(0)) return 'other';
  const flags = reply.readUInt16BE(2);
  if (!(flags & FLAGS.response) || flags & FLAGS.opcode || reply.readUInt16BE(4) !== 1) return 'other';
  let verdict: 'answer' | 'misspelt' = 'answer';
  for (let at = HEADER_BYTES; at < questionEnd; at += 1) {
    const [sent, echoed] = [message[at] as number, reply[at] as number];
    if (sent === echoed) continue;
    const inName = at < questionEnd - TYPE_AND_CLASS_BYTES;
    if (!inName || !isLetter(sent) || (sent ^ echoed) !== CASE_BIT) return 'other';
    verdict = 'misspelt';
  }
  return verdict;
}

/** Whether the rest of an answer is to be had over TCP. */
export function isTruncated(reply: Buffer): boolean {
  return (reply.readUInt16BE(2) & FLAGS.truncated) !== 0;
}

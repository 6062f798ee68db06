import { optRecord } from '../wire/edns.ts';
import { FLAGS, HEADER_BYTES } from '../wire/message.ts';
import type { Question } from '../zone.ts';
import { randomByte } from './random.ts';

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

/** The OPT record of our queries: with these marks, and without the other options of our askers, which stay here. */
export function outgoingOpt(loopMarks: Uint8Array, dnssecOk: boolean): Buffer {
  return optRecord({ udpSize: UDP_SIZE, dnssecOk, loopMarks });
}

/**
 * The question as a query to an upstream, against forgers with a random id and its letters in random case; with this
 * OPT record, if one is given.
 */
export function outgoingQuery(question: Question, opt?: Uint8Array): OutgoingQuery {
  const { bytes, recursionDesired, checkingDisabled } = question;
  const questionEnd = HEADER_BYTES + bytes.length;
  const message = Buffer.alloc(questionEnd + (opt?.length ?? 0));
  const flags =
    (recursionDesired ? FLAGS.recursionDesired : 0) | (checkingDisabled ? FLAGS.checkingDisabled : 0);
  message.writeUInt16BE(flags, 2);
  message.writeUInt16BE(1, 4);
  if (opt) {
    message.writeUInt16BE(1, 10);
    message.set(opt, questionEnd);
  }
  message.set(bytes, HEADER_BYTES);
  randomizeCase(message, questionEnd - TYPE_AND_CLASS_BYTES);
  const query = { message, questionEnd };
  redrawId(query);
  return query;
}

/** The same question in lower case, under an id of its own: for servers that keep no letters. */
export function inLowerCase({ message, questionEnd }: OutgoingQuery): OutgoingQuery {
  const lower = { message: Buffer.from(message), questionEnd };
  for (let at = HEADER_BYTES; at < questionEnd - TYPE_AND_CLASS_BYTES; at += 1) {
    const byte = message[at] as number;
    if (isLetter(byte)) lower.message[at] = byte | CASE_BIT;
  }
  redrawId(lower);
  return lower;
}

/** Gives a query that has not been sent another random id, and returns it. */
export function redrawId({ message }: OutgoingQuery): number {
  const id = (randomByte() << 8) | randomByte();
  message.writeUInt16BE(id, 0);
  return id;
}

/** Each letter of the name in upper or lower case by chance (draft-vixie-dnsext-dns0x20). */
function randomizeCase(message: Buffer, nameEnd: number): void {
  for (let at = HEADER_BYTES; at < nameEnd; at += 1) {
    const byte = message[at] as number;
    // The lengths before the labels of a name are below every letter.
    if (isLetter(byte)) message[at] = byte ^ (randomByte() & CASE_BIT);
  }
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

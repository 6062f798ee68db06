import { optRecord } from '../../wire/edns.ts';
import { FLAGS, HEADER_BYTES, TYPE_AND_CLASS_BYTES } from '../../wire/message.ts';
import type { Question } from '../../zone.ts';
import { randomByte } from './random.ts';

/** A query to an upstream server. */
export interface OutgoingQuery {
  readonly message: Buffer;
  /** Offset of the end of its question. */
  readonly questionEnd: number;
}

/** Largest answer requested over UDP: it passes every network unfragmented (DNS flag day 2020). */
const UDP_SIZE = 1232;
/** The bit that distinguishes `a` from `A` in ASCII. */
const CASE_BIT = 0x20;

/** The OPT record of our queries: with these marks, if any, and without the other options of our clients. */
export function outgoingOpt(loopMarks: Uint8Array | undefined, dnssecOk: boolean): Buffer {
  return optRecord({ udpSize: UDP_SIZE, dnssecOk, ...(loopMarks && { loopMarks }) });
}

/**
 * The question as a query to an upstream server, with this OPT record, if given. The id is random and the letters are
 * in random case, against forged answers.
 */
export function outgoingQuery(question: Question, opt?: Uint8Array): OutgoingQuery {
  const { bytes, recursionDesired, authenticData, checkingDisabled } = question;
  const questionEnd = HEADER_BYTES + bytes.length;
  const message = Buffer.alloc(questionEnd + (opt?.length ?? 0));
  const flags =
    (recursionDesired ? FLAGS.recursionDesired : 0) |
    (authenticData ? FLAGS.authenticData : 0) |
    (checkingDisabled ? FLAGS.checkingDisabled : 0);
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

/** The same question in lower case, with a new id: for servers that change the letter case. */
export function inLowerCase({ message, questionEnd }: OutgoingQuery): OutgoingQuery {
  const lower = { message: Buffer.from(message), questionEnd };
  for (let at = HEADER_BYTES; at < questionEnd - TYPE_AND_CLASS_BYTES; at += 1) {
    const byte = message[at] as number;
    if (isLetter(byte)) lower.message[at] = byte | CASE_BIT;
  }
  redrawId(lower);
  return lower;
}

/** Gives an unsent query a new random id, and returns the id. */
export function redrawId({ message }: OutgoingQuery): number {
  const id = (randomByte() << 8) | randomByte();
  message.writeUInt16BE(id, 0);
  return id;
}

/** Sets each letter of the name to random case (draft-vixie-dnsext-dns0x20). */
function randomizeCase(message: Buffer, nameEnd: number): void {
  for (let at = HEADER_BYTES; at < nameEnd; at += 1) {
    const byte = message[at] as number;
    // The length bytes of labels are smaller than every letter.
    if (isLetter(byte)) message[at] = byte ^ (randomByte() & CASE_BIT);
  }
}

/** Whether two bytes are the same letter in different case. */
export function isLetterPair(one: number, other: number): boolean {
  return isLetter(one) && (one ^ other) === CASE_BIT;
}

function isLetter(byte: number): boolean {
  const lower = byte | CASE_BIT;
  return lower >= 0x61 && lower <= 0x7a;
}

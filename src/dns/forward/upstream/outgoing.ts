import { optRecord } from '../../wire/edns.ts';
import { FLAGS, HEADER_BYTES, TYPE_AND_CLASS_BYTES } from '../../wire/message.ts';
import type { Question } from '../../zone.ts';
import { randomByte } from './random.ts';

/** A query of ours to another server. */
export interface OutgoingQuery {
  readonly message: Buffer;
  /** Offset behind its question. */
  readonly questionEnd: number;
}

/** Largest answer asked for over UDP: it passes every network in one piece (DNS flag day 2020). */
const UDP_SIZE = 1232;
/** What tells `a` from `A` in ASCII. */
const CASE_BIT = 0x20;

/** The OPT record of our queries: with these marks, if any, and without the other options of our askers. */
export function outgoingOpt(loopMarks: Uint8Array | undefined, dnssecOk: boolean): Buffer {
  return optRecord({ udpSize: UDP_SIZE, dnssecOk, ...(loopMarks && { loopMarks }) });
}

/**
 * The question as a query to an upstream, against forgers with a random id and its letters in random case; with this
 * OPT record, if one is given.
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

/** Whether two bytes are one letter in both cases. */
export function isLetterPair(one: number, other: number): boolean {
  return isLetter(one) && (one ^ other) === CASE_BIT;
}

function isLetter(byte: number): boolean {
  const lower = byte | CASE_BIT;
  return lower >= 0x61 && lower <= 0x7a;
}

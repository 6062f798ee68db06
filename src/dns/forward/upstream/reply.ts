import { FLAGS, HEADER_BYTES } from '../../wire/message.ts';
import { fullRcode, recordsOf, validRecordsOf, type WireRecord, withoutOpt } from '../../wire/records.ts';
import { rewritten } from '../../wire/rewritten.ts';
import { type Question, RCODES } from '../../zone.ts';
import { recordsOnChain } from '../chain.ts';
import { isError } from './verdict.ts';

/** The result of a query: a response code, or an answer that cannot be parsed completely. */
export type Result = number | 'malformed';

/** A server's reply to a question. */
export interface UpstreamReply {
  /** The response code with its upper bits, or that the answer cannot be parsed. */
  readonly result: Result;
  /** The message to relay: well formed, without OPT record. Undefined for an error, which may lack a question. */
  readonly message?: Buffer;
  /** Whether the reply states that the records, or the name, do not exist. */
  readonly isAbsence: boolean;
  /** Whether the reply is truncated and its rest unavailable. */
  readonly isCut: boolean;
  /** With an error over TCP: the server's earlier reply over UDP. */
  readonly cut?: UpstreamReply;
}

const TCP_MAXIMUM = 65_535;
/** A TTL of this value or more counts as 0 (RFC 2181 §8). */
const TTL_LIMIT = 2 ** 31;

/** Parses a message whose header and question have been checked. Undefined for a malformed answer. */
export function readReply(question: Question, message: Buffer): UpstreamReply | undefined {
  const records = validRecordsOf(message, HEADER_BYTES + question.bytes.length);
  if (records === undefined) return undefined;
  const rcode = fullRcode(message, records);
  if (isError(rcode)) return errorReply(rcode);
  if (isLame(message, rcode, records)) return errorReply(RCODES.SERVFAIL);
  for (const { type, ttlAt } of records) {
    if (type !== 'OPT' && message.readUInt32BE(ttlAt) >= TTL_LIMIT) message.writeUInt32BE(0, ttlAt);
  }
  const kept = recordsOnChain(message, records, question);
  const isAbsence = rcode === RCODES.NXDOMAIN || !hasAnswer(kept, question.type);
  const isWhole = kept.length === records.length;
  const passed = passable(question, message, kept, isWhole);
  return { result: rcode, message: passed, isAbsence, isCut: false };
}

/** Parses a truncated answer whose rest is unavailable: its records as far as they are well formed. */
export function readCut(question: Question, message: Buffer): UpstreamReply {
  const read = readReply(question, message);
  if (read?.message) return { ...read, isCut: true };
  const bare = failure(question, RCODES.NOERROR);
  bare.writeUInt16BE(FLAGS.response | FLAGS.truncated, 2);
  return { result: RCODES.NOERROR, message: bare, isAbsence: true, isCut: true };
}

/** The result for an answer that cannot be parsed. */
export const MALFORMED: UpstreamReply = { result: 'malformed', isAbsence: false, isCut: false };

/** Parses an error, with or without a question section. */
export function readError(question: Question, message: Buffer): UpstreamReply {
  const hasQuestion = message.readUInt16BE(4) > 0;
  const records = recordsOf(message, HEADER_BYTES + (hasQuestion ? question.bytes.length : 0));
  return errorReply(fullRcode(message, records));
}

function errorReply(result: Result): UpstreamReply {
  return { result, isAbsence: false, isCut: false };
}

/** A message of header and question only, with this code. */
export function failure(question: Question, rcode: number): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + question.bytes.length);
  message.writeUInt16BE(FLAGS.response | rcode, 2);
  message.writeUInt16BE(1, 4);
  message.set(question.bytes, HEADER_BYTES);
  return message;
}

/** Whether a message is only a referral, from a server that neither has the data nor offers recursion. */
function isLame(message: Buffer, rcode: number, records: readonly WireRecord[]): boolean {
  if (rcode !== RCODES.NOERROR) return false;
  if (message.readUInt16BE(2) & (FLAGS.authoritative | FLAGS.recursionAvailable)) return false;
  return !records.some(({ section, type }) => section === 'answer' || type === 'SOA');
}

function hasAnswer(records: readonly WireRecord[], wanted: string): boolean {
  for (const { section, type } of records) {
    if (section === 'answer' && (type === wanted || wanted === 'ANY')) return true;
  }
  return false;
}

function passable(
  question: Question,
  message: Buffer,
  kept: readonly WireRecord[],
  isWhole: boolean,
): Buffer {
  const questionEnd = HEADER_BYTES + question.bytes.length;
  if (isWhole) return withoutOpt(message, questionEnd, kept);
  const records = kept.filter(({ type }) => type !== 'OPT');
  return rewritten(message, questionEnd, records, TCP_MAXIMUM);
}

import { FLAGS, HEADER_BYTES } from '../../wire/message.ts';
import { fullRcode, recordsOf, validRecordsOf, type WireRecord, withoutOpt } from '../../wire/records.ts';
import { rewritten } from '../../wire/rewritten.ts';
import { type Question, RCODES } from '../../zone.ts';
import { recordsOnChain } from '../chain.ts';
import { isError } from './verdict.ts';

/** What came of a query: a response code, or an answer that cannot be read to its end. */
export type Result = number | 'malformed';

/** What a server said to a question. */
export interface UpstreamReply {
  /** The response code with its upper bits, or that the answer cannot be read. */
  readonly result: Result;
  /** As it may be passed on: well formed, without OPT record. Undefined for an error, which need have no question. */
  readonly message?: Buffer;
  /** Whether it says that there is nothing, or no such name. */
  readonly isAbsence: boolean;
  /** Whether the rest could not be had. */
  readonly isCut: boolean;
  /** Beside an error over TCP: what the server had said over UDP before. */
  readonly cut?: UpstreamReply;
}

const TCP_MAXIMUM = 65_535;
/** From here on a time to live is 0 (RFC 2181 §8). */
const TTL_LIMIT = 2 ** 31;

/** Reads a message whose header and question have been judged. Undefined for an answer that is malformed. */
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

/** A cut answer that is all there is: its records as far as they are sound. */
export function readCut(question: Question, message: Buffer): UpstreamReply {
  const read = readReply(question, message);
  if (read?.message) return { ...read, isCut: true };
  const bare = failure(question, RCODES.NOERROR);
  bare.writeUInt16BE(FLAGS.response | FLAGS.truncated, 2);
  return { result: RCODES.NOERROR, message: bare, isAbsence: true, isCut: true };
}

/** What is said of an answer that cannot be read. */
export const MALFORMED: UpstreamReply = { result: 'malformed', isAbsence: false, isCut: false };

/** An error, with a question section or without. */
export function readError(question: Question, message: Buffer): UpstreamReply {
  const hasQuestion = message.readUInt16BE(4) > 0;
  const records = recordsOf(message, HEADER_BYTES + (hasQuestion ? question.bytes.length : 0));
  return errorReply(fullRcode(message, records));
}

function errorReply(result: Result): UpstreamReply {
  return { result, isAbsence: false, isCut: false };
}

/** Header and question alone, with this code. */
export function failure(question: Question, rcode: number): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + question.bytes.length);
  message.writeUInt16BE(FLAGS.response | rcode, 2);
  message.writeUInt16BE(1, 4);
  message.set(question.bytes, HEADER_BYTES);
  return message;
}

/** Whether a message is only a referral, by a server that has no data of its own and asks nobody for us. */
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

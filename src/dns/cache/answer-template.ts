import { FLAGS, HEADER_BYTES } from '../wire/message.ts';
import { recordsOf, type WireRecord } from '../wire/records.ts';

/** The largest template: pointers cannot hold larger offsets (RFC 1035 §4.1.4), and more memory is not worthwhile. */
const MAX_BYTES = 0x3fff;
const POINTER = 0xc000;
const POINTER_TO_QUESTION = POINTER | HEADER_BYTES;
/** Types whose data has no pointers, so that their records can be moved. */
const MOVABLE: ReadonlySet<string> = new Set(['A', 'AAAA', 'SRV']);
/** Offset of the target in an SRV record owned by the question's name: RFC 2782's three numbers precede it. */
const TARGET_AT = 2 + 10 + 6;

/** An additional record whose owner points to an answer's target: the pointer's offset, and the answer's index. */
interface Link {
  readonly at: number;
  readonly answer: number;
}

/**
 * An encoded answer from which other answers to the same question are made without encoding. They have another id, the
 * letters of their query, and the records in another order, each order equally likely.
 */
export interface AnswerTemplate {
  /** The message with all answers, and with the header of the message that is sent. */
  readonly message: Uint8Array;
  readonly questionEnd: number;
  /** The offset of each answer, and the end of the last one; empty if the order does not change. */
  readonly starts: readonly number[];
  /** How many answers are sent; if not all fit, each message has a random selection. */
  readonly shown: number;
  readonly links: readonly Link[];
}

/** Scratch arrays while one message is made: the drawn order of answers, and the new offset of each. */
const order = new Uint16Array(MAX_BYTES >> 3);
const places = new Uint16Array(MAX_BYTES >> 3);

/**
 * The template of an encoded message; `whole` encodes it without a size limit. Undefined if the answers cannot change
 * places byte by byte.
 */
export function templateOf(
  message: Buffer,
  questionEnd: number,
  whole: () => Buffer,
): AnswerTemplate | undefined {
  const isCut = (message.readUInt16BE(2) & FLAGS.truncated) !== 0;
  // Copied, because an encoded message is the beginning of a buffer of the maximum message size.
  const full = Uint8Array.from(isCut ? whole() : message);
  if (full.length > MAX_BYTES) return undefined;
  const records = recordsOf(Buffer.from(full.buffer), questionEnd);
  const answers = records.filter(({ section }) => section === 'answer');
  const others = records.slice(answers.length);
  full.set(message.subarray(0, HEADER_BYTES));
  if (answers.length <= 1) {
    return isCut ? undefined : { message: full, questionEnd, starts: [], shown: answers.length, links: [] };
  }
  const links = linksOf(full, answers, others);
  const areMovable = answers.every(
    ({ type, start }) => MOVABLE.has(type) && pointerAt(full, start) === POINTER_TO_QUESTION,
  );
  if (!areMovable || links === undefined) return undefined;
  if (isCut && !(areAlike(answers) && others.every(({ type }) => type === 'OPT'))) return undefined;
  const starts = [...answers.map(({ start }) => start), (answers.at(-1) as WireRecord).end];
  return { message: full, questionEnd, starts, shown: message.readUInt16BE(6), links };
}

/** The template of a message whose records keep their order, such as another server's. */
export function fixedTemplate(message: Buffer, questionEnd: number): AnswerTemplate {
  // Copied, because a relayed message may be part of a larger buffer.
  const own = Uint8Array.from(message);
  return { message: own, questionEnd, starts: [], shown: message.readUInt16BE(6), links: [] };
}

/** Undefined if an additional record does not depend on an answer in this simple way. */
function linksOf(
  message: Uint8Array,
  answers: readonly WireRecord[],
  others: readonly WireRecord[],
): readonly Link[] | undefined {
  const links: Link[] = [];
  for (const { type, start } of others) {
    if (type === 'OPT') continue;
    const target = pointerAt(message, start) & ~POINTER;
    const answer = answers.findIndex(
      (record) => record.type === 'SRV' && record.start + TARGET_AT === target,
    );
    if (answer < 0 || (type !== 'A' && type !== 'AAAA')) return undefined;
    links.push({ at: start, answer });
  }
  return links;
}

function areAlike(answers: readonly WireRecord[]): boolean {
  const [first] = answers;
  return answers.every(({ start, end }) => first && end - start === first.end - first.start);
}

function pointerAt(message: Uint8Array, at: number): number {
  return ((message[at] as number) << 8) | (message[at + 1] as number);
}

/** A message from the template that answers `query`. */
export function fillTemplate(template: AnswerTemplate, query: Uint8Array, random: () => number): Buffer {
  const { message, questionEnd, starts, shown } = template;
  const count = starts.length - 1;
  const reply = Buffer.allocUnsafe(count > shown ? lengthOf(template) : message.length);
  if (count > shown) {
    const tail = message.subarray(starts[count]);
    reply.set(message.subarray(0, starts[0]));
    reply.set(tail, reply.length - tail.length);
  } else reply.set(message);
  if (count > 1) placeAnswers(template, reply, random);
  reply[0] = query[0] as number;
  reply[1] = query[1] as number;
  for (let at = HEADER_BYTES; at < questionEnd; at += 1) reply[at] = query[at] as number;
  return reply;
}

/** The length of a message with some of the answers, which are all equally long. */
function lengthOf({ message, starts, shown }: AnswerTemplate): number {
  const [first = 0, second = 0] = starts;
  return message.length - (starts.length - 1 - shown) * (second - first);
}

/** Shuffles the answers (Fisher and Yates), only as far as they are sent. */
function placeAnswers(
  { message, starts, shown, links }: AnswerTemplate,
  reply: Buffer,
  random: () => number,
): void {
  const count = starts.length - 1;
  for (let answer = 0; answer < count; answer += 1) order[answer] = answer;
  let to = starts[0] as number;
  for (let place = 0; place < shown; place += 1) {
    const drawn = place + Math.floor(random() * (count - place));
    const answer = order[drawn] as number;
    order[drawn] = order[place] as number;
    order[place] = answer;
    places[answer] = to;
    const end = starts[answer + 1] as number;
    for (let from = starts[answer] as number; from < end; from += 1, to += 1) {
      reply[to] = message[from] as number;
    }
  }
  for (const { at, answer } of links)
    reply.writeUInt16BE(POINTER | ((places[answer] as number) + TARGET_AT), at);
}

import { FLAGS, HEADER_BYTES } from '../wire/message.ts';
import { recordsOf, type WireRecord } from '../wire/records.ts';

/** Beyond so much, offsets of records are more than pointers can say (RFC 1035 §4.1.4), and memory more than it is worth. */
const MAX_BYTES = 0x3fff;
const POINTER = 0xc000;
const POINTER_TO_QUESTION = POINTER | HEADER_BYTES;
/** Whose data has no pointers, so that they may stand anywhere. */
const MOVABLE: ReadonlySet<string> = new Set(['A', 'AAAA', 'SRV']);
/** From the beginning of an SRV record of the question's name to its target: RFC 2782's three numbers are before it. */
const TARGET_AT = 2 + 10 + 6;

/** A record behind the answers that is called as an answer's target is: where its pointer stands, and which answer's. */
interface Link {
  readonly at: number;
  readonly answer: number;
}

/**
 * An encoded answer from which others to the same question are made without encoding: with another id, the question's
 * letters in another case, and the records in another order, each order equally likely.
 */
export interface AnswerTemplate {
  /** With all answers; its header is that of the message that is sent. */
  readonly message: Uint8Array;
  readonly questionEnd: number;
  /** Where each answer begins, and where the last one ends; empty where there is no order to be changed. */
  readonly starts: readonly number[];
  /** How many answers are sent: where not all fit, each time others. */
  readonly shown: number;
  readonly links: readonly Link[];
}

/** Which answer stands where, while one message is made. */
const order = new Uint16Array(MAX_BYTES >> 3);
const places = new Uint16Array(MAX_BYTES >> 3);

/**
 * The template of an encoded message; `whole` is the same without a limit to its size. Undefined where the answers
 * cannot change places byte by byte.
 */
export function templateOf(
  message: Buffer,
  questionEnd: number,
  whole: () => Buffer,
): AnswerTemplate | undefined {
  const isCut = (message.readUInt16BE(2) & FLAGS.truncated) !== 0;
  // A copy of its own: an encoded message is the beginning of a buffer as large as a message may be.
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

/** The template of a message whose records keep their order, as that of another server. */
export function fixedTemplate(message: Buffer, questionEnd: number): AnswerTemplate {
  // A copy of its own: what was relayed may be a part of a larger buffer.
  const own = Uint8Array.from(message);
  return { message: own, questionEnd, starts: [], shown: message.readUInt16BE(6), links: [] };
}

/** Undefined where a record behind the answers could not follow them. */
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
export function fill(template: AnswerTemplate, query: Uint8Array, random: () => number): Buffer {
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

/** Of a message that shows some of the answers, which are all equally long. */
function lengthOf({ message, starts, shown }: AnswerTemplate): number {
  const [first = 0, second = 0] = starts;
  return message.length - (starts.length - 1 - shown) * (second - first);
}

/** Fisher and Yates, as far as answers are shown. */
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

import { emptyReply, type Question, RCODES, type Reply, type ResourceRecord } from '../zone.ts';
import { optRecord } from './edns.ts';
import { FLAGS, type Query } from './message.ts';
import { MessageWriter } from './writer.ts';

/** What every asker takes over UDP (RFC 1035 §4.2.1). */
const UDP_MINIMUM = 512;
/**
 * What we send over UDP at most, whatever is advertised. Strangers get what no path cuts into fragments (DNS flag day
 * 2020, RFC 9715), and no more than some thirty times what a forged question costs. On this host's own networks a
 * fragment meets nobody: there it is the ceiling that RFC 6891 §6.2.5 suggests, since HAProxy never asks over TCP.
 */
const UDP_MAXIMUM = { stranger: 1232, neighbour: 4096 } as const;
/** TCP frames have a 16-bit length. */
const TCP_MAXIMUM = 65_535;

/** The least that belongs to an answer, where something does: an address under a pointer. */
const ADDRESS_BYTES = 16;
/** How often one more answer is tried before what is left is halved. */
const MAX_ONE_MORE = 3;

/** The largest reply, in bytes, that this asker takes; neighbours are those whom recursion is offered to. */
export function sizeLimit({ transport, edns }: Question, isNeighbour: boolean): number {
  if (transport === 'tcp') return TCP_MAXIMUM;
  const maximum = isNeighbour ? UDP_MAXIMUM.neighbour : UDP_MAXIMUM.stranger;
  return Math.min(Math.max(edns?.udpSize ?? UDP_MINIMUM, UDP_MINIMUM), maximum);
}

/**
 * The reply as bytes, never longer than the asker takes: when not everything fits, TC is set and as many whole
 * answers are kept as fit together with the additionals that belong to them.
 */
export function encodeReply(query: Query, reply: Reply, recursionAvailable: boolean): Buffer {
  const limit = sizeLimit(query.question, recursionAvailable);
  const attempt = (sections: Reply, truncated: boolean, wrote?: Framing['wrote']) =>
    encode(query, sections, { limit, truncated, recursionAvailable, ...(wrote && { wrote }) });
  // More answers never make a message shorter. Those that were too many by themselves are so with all else.
  let [fits, tooMany] = [0, reply.answers.length + 1];
  const whole = attempt(reply, false, (begun, overflowed) => {
    if (overflowed) tooMany = begun;
  });
  if (whole) return whole;
  // A guess takes long where there are many. The first is one less than too many, less what belongs to each; the next
  // follows from how long a message was that fits, is one more, since most are equally long, or halves what is left.
  const beside = reply.additionals.length > 0 ? ADDRESS_BYTES * tooMany : 0;
  let guess = Math.floor(((tooMany - 1) * limit) / (limit + beside));
  let best = attempt(firstAnswers(reply, 0), true);
  for (let oneMore = 0; best && tooMany - fits > 1; ) {
    if (guess <= fits || guess >= tooMany) guess = (fits + tooMany) >> 1;
    const message = attempt(firstAnswers(reply, guess), true);
    if (message === undefined) [tooMany, guess] = [guess, 0];
    else {
      [best, fits, guess] = [message, guess, Math.floor((guess * limit) / message.length)];
      if (guess <= fits && oneMore < MAX_ONE_MORE) [guess, oneMore] = [fits + 1, oneMore + 1];
    }
  }
  const nothing = { ...reply, answers: [], authorities: [], additionals: [] };
  // Header, question and OPT always fit: 12 + 259 + 11 + 24 bytes at most.
  return best ?? (attempt(nothing, true) as Buffer);
}

/** The reply as if there were no limit but that of TCP. */
export function encodeWhole({ id, question }: Query, reply: Reply, recursionAvailable: boolean): Buffer {
  return encodeReply({ id, question: { ...question, transport: 'tcp' } }, reply, recursionAvailable);
}

/** A reply of nothing but the request to come again over TCP. */
export function encodeCut(query: Query, recursionAvailable: boolean): Buffer {
  const limit = sizeLimit(query.question, recursionAvailable);
  const framing = { limit, truncated: true, recursionAvailable };
  return encode(query, emptyReply('NOERROR'), framing) as Buffer;
}

/** The reply cut to its first answers, with only those additionals that their SRV targets lead to. */
function firstAnswers(reply: Reply, count: number): Reply {
  const answers = reply.answers.slice(0, count);
  const targets = new Set(answers.flatMap((record) => (record.type === 'SRV' ? [record.data.target] : [])));
  for (const record of reply.additionals) {
    if (record.type === 'CNAME' && targets.has(record.name)) targets.add(record.data);
  }
  return { ...reply, answers, additionals: reply.additionals.filter(({ name }) => targets.has(name)) };
}

interface Framing {
  readonly limit: number;
  readonly truncated: boolean;
  readonly recursionAvailable: boolean;
  /** Told how many answers were begun, and whether the last one of them was too much. */
  readonly wrote?: (begun: number, overflowed: boolean) => void;
}

function encode({ id, question }: Query, reply: Reply, framing: Framing): Buffer | undefined {
  const writer = new MessageWriter(framing.limit);
  const rcode = RCODES[reply.rcode];
  writer.uint16(id);
  writer.uint16(
    FLAGS.response |
      (reply.authoritative ? FLAGS.authoritative : 0) |
      (framing.truncated ? FLAGS.truncated : 0) |
      (question.recursionDesired ? FLAGS.recursionDesired : 0) |
      (framing.recursionAvailable ? FLAGS.recursionAvailable : 0) |
      (question.checkingDisabled ? FLAGS.checkingDisabled : 0) |
      (rcode & FLAGS.rcode),
  );
  writer.uint16(1);
  writer.uint16(reply.answers.length);
  writer.uint16(reply.authorities.length);
  writer.uint16(reply.additionals.length + (question.edns ? 1 : 0));
  writer.question(question.bytes, question.asked);
  const begun = writeAll(writer, reply.answers);
  framing.wrote?.(begun, writer.overflowed);
  for (const records of [reply.authorities, reply.additionals]) writeAll(writer, records);
  if (question.edns) {
    // The asker's size is echoed, as Consul does; DO is not, and of the options only the subnet.
    const { udpSize, clientSubnet } = question.edns;
    writer.bytes(optRecord({ udpSize, extendedRcode: rcode >> 4, clientSubnet }));
  }
  return writer.overflowed ? undefined : writer.finish();
}

/** @returns how many were begun */
function writeAll(writer: MessageWriter, records: readonly ResourceRecord[]): number {
  let begun = 0;
  for (const record of records) {
    if (writer.overflowed) break;
    writer.record(record);
    begun += 1;
  }
  return begun;
}

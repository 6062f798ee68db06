import { emptyReply, type Question, RCODES, type Reply, type ResourceRecord } from '../zone.ts';
import { optRecord } from './edns.ts';
import { FLAGS, type Query } from './message.ts';
import { MessageWriter } from './writer.ts';

/** The message size that every client accepts over UDP (RFC 1035 §4.2.1). */
const UDP_MINIMUM = 512;
/**
 * The largest message sent over UDP, whatever the client advertises. For external clients: the size that no path
 * fragments (DNS flag day 2020, RFC 9715), and at most about thirty times the size of a forged question. On this host's
 * own networks, fragments are safe: the limit is what RFC 6891 §6.2.5 suggests, since HAProxy never retries over TCP.
 */
const UDP_MAXIMUM = { external: 1232, local: 4096 } as const;
/** A TCP frame has a 16-bit length. */
const TCP_MAXIMUM = 65_535;

/** The least size of an additional record that belongs to an answer: an address owned by a pointer. */
const ADDRESS_BYTES = 16;
/** How often the search tries one more answer before it halves the remaining interval. */
const MAX_ONE_MORE = 3;

/** The largest reply, in bytes, for this client; a client is local if recursion is offered to it. */
export function sizeLimit({ transport, edns }: Question, isLocal: boolean): number {
  if (transport === 'tcp') return TCP_MAXIMUM;
  const maximum = isLocal ? UDP_MAXIMUM.local : UDP_MAXIMUM.external;
  return Math.min(Math.max(edns?.udpSize ?? UDP_MINIMUM, UDP_MINIMUM), maximum);
}

/**
 * The reply as bytes, never longer than the client accepts. If not everything fits, TC is set, and as many complete
 * answers are kept as fit together with the additionals that belong to them.
 */
export function encodeReply(query: Query, reply: Reply, recursionAvailable: boolean): Buffer {
  const limit = sizeLimit(query.question, recursionAvailable);
  const attempt = (sections: Reply, truncated: boolean, onAnswersWritten?: Framing['onAnswersWritten']) =>
    encode(query, sections, {
      limit,
      truncated,
      recursionAvailable,
      ...(onAnswersWritten && { onAnswersWritten }),
    });
  // More answers never make a message shorter. A number that is too large alone is too large with additionals.
  let [fits, tooMany] = [0, reply.answers.length + 1];
  const whole = attempt(reply, false, (begun, overflowed) => {
    if (overflowed) tooMany = begun;
  });
  if (whole) return whole;
  // Each guess costs one encoding, which is expensive for many answers. The first guess scales the number that was too
  // large by the estimated share of additionals. The next one scales the last size that fits, or adds one answer, since
  // most are equally long, or halves the remaining interval.
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
  // Header, question and OPT record always fit: 12 + 259 + 11 + 24 bytes at most.
  return best ?? (attempt(nothing, true) as Buffer);
}

/** The reply with no size limit except that of TCP. */
export function encodeWhole({ id, question }: Query, reply: Reply, recursionAvailable: boolean): Buffer {
  return encodeReply({ id, question: { ...question, transport: 'tcp' } }, reply, recursionAvailable);
}

/** A reply without records and with TC set, so that the client retries over TCP. */
export function encodeTruncated(query: Query, recursionAvailable: boolean): Buffer {
  const limit = sizeLimit(query.question, recursionAvailable);
  const framing = { limit, truncated: true, recursionAvailable };
  return encode(query, emptyReply('NOERROR'), framing) as Buffer;
}

/** The reply with only its first answers, and with the additionals that their SRV targets lead to. */
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
  /** Called with the number of answers that were started, and whether the last of them did not fit. */
  readonly onAnswersWritten?: (begun: number, overflowed: boolean) => void;
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
  framing.onAnswersWritten?.(begun, writer.overflowed);
  for (const records of [reply.authorities, reply.additionals]) writeAll(writer, records);
  if (question.edns) {
    // As in Consul, the client's size is echoed, but not the DO bit, and of the options only the subnet.
    const { udpSize, clientSubnet } = question.edns;
    writer.bytes(optRecord({ udpSize, extendedRcode: rcode >> 4, clientSubnet }));
  }
  return writer.overflowed ? undefined : writer.finish();
}

/** @returns how many records were started */
function writeAll(writer: MessageWriter, records: readonly ResourceRecord[]): number {
  let begun = 0;
  for (const record of records) {
    if (writer.overflowed) break;
    writer.record(record);
    begun += 1;
  }
  return begun;
}

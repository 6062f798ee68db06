import { optRecord } from './edns.ts';
import { FLAGS, HEADER_BYTES, type Query } from './message.ts';
import { sizeLimit } from './reply.ts';

/**
 * Another server's message as the reply to `query`: its records untouched, id and question replaced by the asker's
 * own. The question has the same length in both, so compression pointers into the message stay true. What does not
 * fit the asker is cut to whole answers, with TC set.
 */
export function relay(query: Query, message: Uint8Array): Buffer {
  const { question } = query;
  const reply = Buffer.from(message);
  const asked = question.recursionDesired ? FLAGS.recursionDesired : 0;
  const disabled = question.checkingDisabled ? FLAGS.checkingDisabled : 0;
  const kept = reply.readUInt16BE(2) & (FLAGS.authenticData | FLAGS.truncated | FLAGS.rcode);
  reply.writeUInt16BE(query.id, 0);
  reply.writeUInt16BE(FLAGS.response | FLAGS.recursionAvailable | asked | disabled | kept, 2);
  reply.set(question.bytes, HEADER_BYTES);
  const limit = sizeLimit(question);
  return reply.length <= limit ? reply : cut(reply, HEADER_BYTES + question.bytes.length, limit, query);
}

function cut(reply: Buffer, start: number, limit: number, { question }: Query): Buffer {
  const opt = question.edns ? optRecord({ udpSize: question.edns.udpSize }) : Buffer.alloc(0);
  const answers = reply.readUInt16BE(6);
  let [kept, end] = [0, start];
  while (kept < answers) {
    const next = recordEnd(reply, end);
    if (next === undefined || next > limit - opt.length) break;
    [kept, end] = [kept + 1, next];
  }
  reply.writeUInt16BE(reply.readUInt16BE(2) | FLAGS.truncated, 2);
  [kept, 0, question.edns ? 1 : 0].forEach((count, index) => {
    reply.writeUInt16BE(count, 6 + 2 * index);
  });
  return Buffer.concat([reply.subarray(0, end), opt]);
}

/** Where the record at `offset` ends; undefined where the message is cut short. */
function recordEnd(message: Buffer, offset: number): number | undefined {
  let at = offset;
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    // A pointer ends a name (RFC 1035 §4.1.4), as the root label does.
    if (length >= 0xc0 || length === 0) {
      at += length === 0 ? 1 : 2;
      break;
    }
    at += 1 + length;
  }
  if (at + 10 > message.length) return undefined;
  const end = at + 10 + message.readUInt16BE(at + 8);
  return end <= message.length ? end : undefined;
}

/** The response code in a relayed message. */
export function relayedRcode(message: Uint8Array): number {
  return (message[3] ?? 0) & FLAGS.rcode;
}

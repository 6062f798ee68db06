import { decodedReply, withOwner } from './decoded.ts';
import { FLAGS, type Query } from './message.ts';
import { encodeReply } from './reply.ts';

/**
 * Another server's message with its names compressed, as the reply to `query`: there are servers that compress
 * nothing. What still does not fit is cut, with TC set. Undefined where records would have to be left as they are.
 */
export function compressed(query: Query, message: Buffer, recursionAvailable: boolean): Buffer | undefined {
  const flags = message.readUInt16BE(2);
  // What was cut already stays cut, and what may be signed as it was signed.
  if (query.question.edns?.dnssecOk || (flags & FLAGS.truncated) !== 0) return undefined;
  const reply = decodedReply(message);
  if (!reply) return undefined;
  const { name, asked } = query.question;
  // The letters that we drew for the question come back where names are not compressed.
  const own = withOwner({ ...reply, authoritative: false }, name, asked);
  const encoded = encodeReply(query, own, recursionAvailable);
  encoded.writeUInt16BE(encoded.readUInt16BE(2) | (flags & FLAGS.authenticData), 2);
  return encoded;
}

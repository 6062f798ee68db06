import dnsPacket from 'dns-packet';
import { HEADER_BYTES, readQuery } from './wire/message.ts';
import { isName } from './wire/name.ts';
import type { Question, Resolved, ResourceRecord } from './zone.ts';

/** More than a chain of aliases and its addresses need; an upstream server may send any number. */
const MAX_RECORDS = 32;

/** Answers names that the asking zone does not hold. */
export interface OtherNames {
  resolve(question: Question): Promise<Resolved>;
}

/**
 * The address records of a host and the aliases that lead to them, asked on behalf of a client: AAAA if its question
 * asks for that, else A. Empty if there are none, or without an answer.
 */
export async function hostRecords(
  others: OtherNames,
  host: string,
  clientQuestion: Question,
): Promise<readonly ResourceRecord[]> {
  const question = questionAbout(host, clientQuestion.type === 'AAAA' ? 'AAAA' : 'A', clientQuestion);
  // The host's name is an answer by itself. The resolver logs elsewhere why its addresses are missing.
  const reply = question && (await others.resolve(question).catch(() => undefined));
  if (!reply) return [];
  // Replies of our own zones hold only records that we encode ourselves.
  return 'message' in reply ? addressRecordsIn(Buffer.from(reply.message), question) : reply.answers;
}

function questionAbout(name: string, type: 'A' | 'AAAA', clientQuestion: Question): Question | undefined {
  const flags = clientQuestion.recursionDesired ? dnsPacket.RECURSION_DESIRED : 0;
  const packet = dnsPacket.encode({ type: 'query', flags, questions: [{ name, type }] });
  const received = readQuery(packet, clientQuestion.client, 'tcp');
  if (!received || !('query' in received)) return undefined;
  const { aliasReturns } = clientQuestion;
  return { ...received.query.question, ...(aliasReturns !== undefined && { aliasReturns }) };
}

function addressRecordsIn(message: Buffer, { asked, bytes, name: host }: Question): ResourceRecord[] {
  try {
    // The query had letters of random case. Names in the answer point to that name or repeat its letters.
    message.set(bytes, HEADER_BYTES);
    const { answers = [] } = dnsPacket.decode(message);
    return answers.slice(0, MAX_RECORDS).flatMap((record): ResourceRecord[] => {
      const { type, name, data } = record as { type: string; name: string; data: string };
      if (type !== 'A' && type !== 'AAAA' && type !== 'CNAME') return [];
      // dns-packet makes text of any bytes; text that we cannot encode as a name is left out.
      if (!isName(name) || (type === 'CNAME' && !isName(data))) return [];
      return [{ name: name.toLowerCase() === host ? asked : name, ttl: 0, type, data }];
    });
  } catch {
    return [];
  }
}

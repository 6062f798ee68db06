import dnsPacket from 'dns-packet';
import { HEADER_BYTES, readQuery } from './wire/message.ts';
import { isName } from './wire/name.ts';
import type { Question, Resolved, ResourceRecord } from './zone.ts';

/** More than aliases and the addresses behind them need; upstreams may send what they like. */
const MAX_RECORDS = 32;

/** Where names that are not the service zone's are asked for. */
export interface OtherNames {
  resolve(question: Question): Promise<Resolved>;
}

/**
 * The address records of a host and the aliases that lead to them, asked on behalf of `asker`: AAAA when that is
 * what they want, else A. None where there are none, or nobody can say.
 */
export async function hostRecords(
  others: OtherNames,
  host: string,
  asker: Question,
): Promise<readonly ResourceRecord[]> {
  const question = questionAbout(host, asker.type === 'AAAA' ? 'AAAA' : 'A', asker);
  // The name of the host is an answer by itself; why its addresses are missing is the resolver's to log elsewhere.
  const reply = question && (await others.resolve(question).catch(() => undefined));
  if (!reply) return [];
  // A zone of our own holds no more than it answers.
  return 'message' in reply ? addressRecordsIn(Buffer.from(reply.message), question) : reply.answers;
}

function questionAbout(name: string, type: 'A' | 'AAAA', asker: Question): Question | undefined {
  const flags = asker.recursionDesired ? dnsPacket.RECURSION_DESIRED : 0;
  const packet = dnsPacket.encode({ type: 'query', flags, questions: [{ name, type }] });
  const received = readQuery(packet, asker.client, 'tcp');
  if (!received || !('query' in received)) return undefined;
  const { returns } = asker;
  return { ...received.query.question, ...(returns !== undefined && { returns }) };
}

function addressRecordsIn(message: Buffer, { asked, bytes, name: host }: Question): ResourceRecord[] {
  try {
    // It was asked for in letters of random case, which names in the answer share or repeat.
    message.set(bytes, HEADER_BYTES);
    const { answers = [] } = dnsPacket.decode(message);
    return answers.slice(0, MAX_RECORDS).flatMap((record): ResourceRecord[] => {
      const { type, name, data } = record as { type: string; name: string; data: string };
      if (type !== 'A' && type !== 'AAAA' && type !== 'CNAME') return [];
      // dns-packet makes text of any bytes; what cannot be a name of ours is left out.
      if (!isName(name) || (type === 'CNAME' && !isName(data))) return [];
      return [{ name: name.toLowerCase() === host ? asked : name, ttl: 0, type, data }];
    });
  } catch {
    return [];
  }
}

import { readQuery } from '../../src/dns/wire/message.ts';
import type { Question } from '../../src/dns/zone.ts';
import { queryBytes } from './ask.ts';

/** A container's question, as the server reads it. */
export function questionOf(
  name: string,
  type = 'A',
  options: Parameters<typeof queryBytes>[2] = {},
): Question {
  const received = readQuery(queryBytes(name, type, options), '10.2.1.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  return received.query.question;
}

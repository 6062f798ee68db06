import dnsPacket, { type DecodedPacket, type OptAnswer } from 'dns-packet';
import { FakeUpstream, manyAddresses, replyTo } from './upstream.ts';

/** The answers of a server without faults, and of a faulty server to queries that do not trigger its fault. */
export const [GOOD_ADDRESS, FAULTY_ADDRESS] = ['198.51.100.1', '203.0.113.0'];

const ERRORS = { FORMERR: 1, NOTIMP: 4, BADVERS: 16, SERVFAIL: 2, REFUSED: 5 } as const;
export const FAULTS = [...Object.keys(ERRORS), 'silence', 'cut', 'truncated', 'malformed'] as const;
export const CAUSES = ['EDNS', 'options', 'every query'] as const;

/** A fault of a server, and the queries that trigger it. */
export interface Fault {
  readonly fault: string;
  readonly cause: (typeof CAUSES)[number];
  /** Whether the faulty reply repeats the question. */
  readonly question: boolean;
  readonly transport: 'UDP' | 'TCP';
}

/** Whether a query triggers the fault. */
export function isHit({ cause }: Fault, { additionals = [] }: DecodedPacket): boolean {
  const opt = additionals.find((record): record is OptAnswer => record.type === 'OPT');
  if (cause === 'every query') return true;
  return cause === 'EDNS' ? opt !== undefined : (opt?.options.length ?? 0) > 0;
}

/** The faulty reply, or none. */
function faulty({ fault, question }: Fault, query: DecodedPacket): Buffer | undefined {
  if (fault === 'silence') return undefined;
  return badReply(fault, question ? query : { ...query, questions: [] });
}

function badReply(fault: string, query: DecodedPacket): Buffer {
  if (fault === 'cut') return replyTo(query, named(40)).subarray(0, 512);
  if (fault === 'truncated') return replyTo(query, [], { flags: dnsPacket.TRUNCATED_RESPONSE });
  if (fault === 'malformed') {
    const reply = replyTo({ ...query, additionals: [] }, named(1));
    // An address of three bytes.
    reply.writeUInt16BE(3, reply.length - 6);
    return reply.subarray(0, -1);
  }
  const rcode = ERRORS[fault as keyof typeof ERRORS];
  const opt = query.additionals?.find((record) => record.type === 'OPT') ?? OPT;
  const additionals =
    rcode > 15 ? [{ ...opt, extendedRcode: rcode >> 4 } as unknown as dnsPacket.Answer] : [];
  return dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: rcode & 15,
    questions: query.questions ?? [],
    additionals,
  });
}

const OPT = { type: 'OPT', name: '.', udpPayloadSize: 512, options: [] } as unknown as OptAnswer;

/** Records with a name of their own, for replies without a question. */
const named = (count: number) => manyAddresses(count).map((one) => ({ ...one, name: 'www.example.com' }));

/** A server with the fault, which answers other queries with one address. */
export function faultyServer(which: Fault): Promise<FakeUpstream> {
  const reply = (query: DecodedPacket) =>
    isHit(which, query) ? faulty(which, query) : replyTo(query, manyAddresses(1));
  return which.transport === 'TCP'
    ? FakeUpstream.start(() => [], reply)
    : FakeUpstream.start((query) => [reply(query) ?? []].flat());
}

/** A server without a fault and with another address. */
export const goodServer = () => {
  const reply = (query: DecodedPacket) => replyTo(query, [{ type: 'A', data: GOOD_ADDRESS }]);
  return FakeUpstream.start((query) => [reply(query)], reply);
};

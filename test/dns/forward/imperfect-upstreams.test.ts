import dnsPacket, { type DecodedPacket, type OptAnswer } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { UpstreamClient } from '../../../src/dns/forward/upstream-client.ts';
import { questionOf } from '../question.ts';
import { FakeUpstream, manyAddresses, replyTo } from '../upstream.ts';

/**
 * Every fault that a server may have, wherever it may have it. What is expected is what dnsmasq, unbound and glibc agree
 * on: an answer from a server that has one for a simpler query, else from the next server, else a failure.
 */

/** What is silent is waited for, what is said must come in time on a busy machine, too. */
const timeoutOf = ({ fault }: Cell) => (fault === 'silence' ? 250 : 5_000);
const ERRORS = { FORMERR: 1, NOTIMP: 4, BADVERS: 16, SERVFAIL: 2, REFUSED: 5 } as const;
const FAULTS = [...Object.keys(ERRORS), 'silence', 'cut', 'truncated', 'malformed'] as const;
const CAUSES = ['EDNS', 'options', 'every query'] as const;

interface Cell {
  readonly fault: string;
  readonly cause: (typeof CAUSES)[number];
  /** Whether the faulty reply has its question. */
  readonly question: boolean;
  readonly servers: 1 | 2;
  readonly transport: 'UDP' | 'TCP';
  readonly dnssec: boolean;
}

const cells: Cell[] = FAULTS.flatMap((fault) =>
  CAUSES.flatMap((cause) =>
    [true, false].flatMap((question) =>
      ([1, 2] as const).flatMap((servers) =>
        (['UDP', 'TCP'] as const).flatMap((transport) =>
          [true, false].map((dnssec) => ({ fault, cause, question, servers, transport, dnssec })),
        ),
      ),
    ),
  ),
);

function isHit({ cause }: Cell, { additionals = [] }: DecodedPacket): boolean {
  const opt = additionals.find((record): record is OptAnswer => record.type === 'OPT');
  if (cause === 'every query') return true;
  return cause === 'EDNS' ? opt !== undefined : (opt?.options.length ?? 0) > 0;
}

/** The faulty reply, or silence. */
function faulty({ fault, question }: Cell, query: DecodedPacket): Buffer | undefined {
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

/** Records that have a name where there is no question to take it from. */
const named = (count: number) => manyAddresses(count).map((one) => ({ ...one, name: 'www.example.com' }));

/** A server that has the fault, and one address otherwise. */
function faultyServer(cell: Cell): Promise<FakeUpstream> {
  const reply = (query: DecodedPacket) =>
    isHit(cell, query) ? faulty(cell, query) : replyTo(query, manyAddresses(1));
  return cell.transport === 'TCP'
    ? FakeUpstream.start(() => [], reply)
    : FakeUpstream.start((query) => [reply(query) ?? []].flat());
}

const goodServer = () => {
  const reply = (query: DecodedPacket) => replyTo(query, [{ type: 'A', data: '198.51.100.1' }]);
  return FakeUpstream.start((query) => [reply(query)], reply);
};

/** The code of an answer, its addresses, and how long it took. */
async function ask(client: UpstreamClient, name: string, cell: Cell, servers: readonly FakeUpstream[]) {
  const startedAt = performance.now();
  const question = questionOf(name, 'A', { edns: { size: 1232, do: cell.dnssec } });
  const useTcp = cell.transport === 'TCP' && ({ useTcp: true } as const);
  const set = { servers: servers.map(({ address }) => address), timeoutMs: timeoutOf(cell), ...useTcp };
  const outcome = await client.ask(question, set).then(
    (message) => {
      const { answers = [], flag_tc } = dnsPacket.decode(message);
      const addresses = answers.map((answer) => String((answer as { data: unknown }).data)).join();
      return `${(message[3] as number) & 15} ${addresses}${flag_tc ? 'cut' : ''}`;
    },
    () => 'none',
  );
  return { outcome, ms: performance.now() - startedAt };
}

const isAnswer = (outcome: string) => outcome.startsWith('0 ') && !outcome.endsWith('cut');

describe.concurrent('a server with a fault', () => {
  test.each(cells)(
    '$fault at $cause, with its question: $question, servers: $servers, over $transport, DO: $dnssec',
    async (cell) => {
      await using first = await faultyServer(cell);
      await using second = await goodServer();
      const servers = cell.servers === 1 ? [first] : [first, second];
      const client = new UpstreamClient({ headStartMs: timeoutOf(cell) });
      try {
        const { outcome, ms } = await ask(client, 'www.example.com', cell, servers);
        if (cell.cause !== 'every query' && (cell.servers === 1 || cell.fault !== 'silence')) {
          expect(outcome).toBe('0 203.0.113.0');
        } else if (cell.servers === 2) expect(isAnswer(outcome)).toBe(true);
        else expect(isAnswer(outcome)).toBe(false);
        // What a server says need not be waited for.
        if (cell.fault !== 'silence') expect(ms).toBeLessThan(timeoutOf(cell));
        if (cell.cause === 'every query' || cell.servers === 2) return;
        const before = first.seen.length;
        const again = await ask(client, 'mail.example.com', cell, servers);
        expect(again.outcome).toBe('0 203.0.113.0');
        const [query] = first.seen.slice(before);
        // What it does not like is remembered.
        expect(isHit(cell, query?.query as DecodedPacket)).toBe(false);
        expect(first.seen.length).toBe(before + 1);
      } finally {
        client.stop();
      }
    },
  );
});

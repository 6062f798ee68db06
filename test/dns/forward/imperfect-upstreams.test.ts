import dnsPacket, { type DecodedPacket } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { UpstreamClient } from '../../../src/dns/forward/upstream/client.ts';
import { CAUSES, FAULTS, type Fault, faultyServer, goodServer, isHit } from '../faults.ts';
import { questionOf } from '../question.ts';
import type { FakeUpstream } from '../upstream.ts';

/**
 * Every fault of a server, in every position. The expectation is what dnsmasq, unbound and glibc agree on: an answer from
 * a server that answers a simpler query, else from the next server, else a failure.
 */

/** Silence is waited for; an answer must arrive in time on a busy machine as well. */
const timeoutOf = ({ fault }: Cell) => (fault === 'silence' ? 600 : 5_000);
interface Cell extends Fault {
  readonly servers: 1 | 2;
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
        // An explicit failure causes no waiting.
        if (cell.fault !== 'silence') expect(ms).toBeLessThan(timeoutOf(cell));
        if (cell.cause === 'every query' || cell.servers === 2) return;
        const before = first.seen.length;
        const again = await ask(client, 'mail.example.com', cell, servers);
        expect(again.outcome).toBe('0 203.0.113.0');
        const [query] = first.seen.slice(before);
        // The rejected form of query is remembered.
        expect(isHit(cell, query?.query as DecodedPacket)).toBe(false);
        expect(first.seen.length).toBe(before + 1);
      } finally {
        client.stop();
      }
    },
  );
});

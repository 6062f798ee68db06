import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import dnsPacket from 'dns-packet';
import { expect, test } from 'vitest';
import { ForwardZone } from '../../src/dns/forward/forward.ts';
import { UpstreamClient } from '../../src/dns/forward/upstream/client.ts';
import type { Upstream } from '../../src/dns/forward/upstreams.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { DnsServer } from '../../src/dns/server/server.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { queryBytes } from '../dns/ask.ts';
import { CAUSES, FAULTS, type Fault, faultyServer, goodServer } from '../dns/faults.ts';
import { count } from '../support/counts.ts';
import { FORWARDERS, startForwarder } from '../support/forwarders.ts';

/**
 * heddle beside Debian's dnsmasq, unbound and Knot Resolver, all with the same faulty servers behind them, asked by a
 * stub that repeats its question as glibc does: what any of them answers, heddle answers, too.
 */

interface Case extends Fault {
  readonly domain: string;
  readonly servers: 1 | 2;
  readonly edns: boolean;
}

const faults = FAULTS.flatMap((fault) =>
  CAUSES.flatMap((cause) =>
    [true, false].flatMap((question) =>
      ([1, 2] as const).flatMap((servers) =>
        [true, false].map((edns) => ({ fault, cause, question, servers, edns, transport: 'UDP' as const })),
      ),
    ),
  ),
);
/** A short run takes an even sample; each case takes as long as the longest silence. */
const every = count(9, 1);
const cases: readonly Case[] = faults
  .filter((_, index) => index % every === 0)
  .map((one, index) => ({ ...one, domain: `case${index}.example.net` }));
const READY = 'ready.example.net';

test(`what one of ${FORWARDERS.join(', ')} answers, heddle answers`, { timeout: 240_000 }, async () => {
  await using running = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'heddle-peers-'));
  running.defer(() => rmSync(folder, { recursive: true, force: true }));
  const good = running.use(await goodServer());
  const domains = new Map<string, readonly Upstream[]>([[READY, [good.address]]]);
  for (const one of cases) {
    const faulty = running.use(await faultyServer(one));
    domains.set(one.domain, one.servers === 1 ? [faulty.address] : [faulty.address, good.address]);
  }
  const ports = new Map<string, number>();
  for (const [index, name] of FORWARDERS.entries()) {
    const port = await freePort();
    const place = { folder: join(folder, `${index}`), port, ready: `www.${READY}` };
    running.use(await startForwarder(name, domains, place));
    ports.set(name, port);
  }
  ports.set('heddle', await startHeddle(running, domains));

  const outcomes = await Promise.all(
    cases.map(async (one) => {
      const asked = Array.from(ports, async ([name, port]) => [name, await addressOf(one, port)] as const);
      return [one, Object.fromEntries(await Promise.all(asked))] as const;
    }),
  );
  const worse = outcomes.filter(
    ([, answers]) => answers.heddle === 'none' && Object.values(answers).some((answer) => answer !== 'none'),
  );
  expect(worse).toEqual([]);
  // The comparison is meaningful: each forwarder answers some queries and fails others.
  for (const name of ports.keys()) {
    const answered = outcomes.filter(([, answers]) => answers[name] !== 'none').length;
    expect([name, answered > 0 && answered < cases.length]).toEqual([name, true]);
  }
  if (process.env.HEDDLE_TEST_PEERS === '1') console.log(tableOf(outcomes));
});

async function startHeddle(
  running: AsyncDisposableStack,
  domains: ReadonlyMap<string, readonly Upstream[]>,
): Promise<number> {
  const client = new UpstreamClient();
  const routes = Array.from(domains, ([domain, servers]) =>
    servers.map((server) => ({ domain, server })),
  ).flat();
  const zone = new ForwardZone(
    {
      upstreams: { current: async () => ({ servers: [] }) },
      client,
      isLocal: () => true,
      isOwn: () => false,
    },
    { ownDomains: ['consul'], routes },
  );
  const resolver = new Resolver({ zones: [zone], log: silentLogger });
  const responder = new Responder({ resolver, recursionFor: () => true, log: silentLogger });
  const server = new DnsServer({ responder, log: silentLogger }, { listen: [{ ip: '127.0.0.1', port: 0 }] });
  await server.start();
  running.defer(async () => {
    client.stop();
    await server.stop();
  });
  return server.status().listeners[0]?.address.port as number;
}

/** What a stub gets: the question is sent again while nothing comes; five seconds, twice. */
async function addressOf({ domain, edns }: Case, port: number): Promise<string> {
  const socket = createSocket('udp4');
  const query = queryBytes(`www.${domain}`, 'A', edns ? { edns: { size: 1232 } } : {});
  try {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      socket.send(query, port, '127.0.0.1');
      const late = AbortSignal.timeout(5_000);
      const [reply] = (await once(socket, 'message', { signal: late }).catch(() => [])) as Buffer[];
      if (reply === undefined) continue;
      return outcomeOf(reply);
    }
    return 'none';
  } finally {
    socket.close();
  }
}

/** The address in a whole and sound answer. */
function outcomeOf(reply: Buffer): string {
  try {
    const { answers = [], flag_tc } = dnsPacket.decode(reply);
    const [answer] = answers as { data: unknown }[];
    const address = String(answer?.data);
    // dnsmasq passes on an address of three bytes.
    return isIPv4(address) && !flag_tc && ((reply[3] as number) & 15) === 0 ? address : 'none';
  } catch {
    return 'none';
  }
}

/** Below the range of ephemeral ports: the kernel could assign such a port again before the test uses it. */
let nextPort = 21_053;

/** A port that is free over UDP and TCP. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    const [udp, tcp] = [createSocket('udp4'), createServer()];
    udp.bind(port, '127.0.0.1');
    tcp.listen(port, '127.0.0.1');
    const bound = await Promise.allSettled([once(udp, 'listening'), once(tcp, 'listening')]);
    udp.close();
    tcp.close();
    if (bound.every(({ status }) => status === 'fulfilled')) return port;
  }
}

function tableOf(outcomes: readonly (readonly [Case, Record<string, string>])[]): string {
  return outcomes
    .map(([{ fault, cause, question, servers, edns }, answers]) => {
      const what = `${fault} at ${cause}, question ${question}, servers ${servers}, client's EDNS ${edns}`;
      return `${what}: ${Object.entries(answers).map(([name, answer]) => `${name} ${answer}`)}`;
    })
    .join('\n');
}

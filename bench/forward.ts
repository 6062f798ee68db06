/**
 * `npm run bench:forward [-- --rounds N --seconds S --only SERVER,…]`: compares heddle's forwarding with the forwarders
 * in Debian, all with the same Knot as upstream server, on loopback, in one run. It prints a line of JSON for each burst
 * to standard error, and at the end tables of medians and the results for the goals.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { forwardGoals } from './dns/forward-goals.ts';
import { FORWARDERS, KEPT, NOT_KEPT, upstream } from './dns/forwarders.ts';
import { type Burst, buildPrograms, burst, rssOf } from './dns/load.ts';
import { queryFile } from './dns/names.ts';
import { type Server, startServer } from './dns/peers.ts';
import { type Figures, middle, shuffled } from './dns/race.ts';
import { tableOf } from './dns/report.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1.5' },
    only: { type: 'string', default: '' },
  },
});
const wanted = Object.keys(FORWARDERS).filter(
  (name) => values.only === '' || values.only.split(',').includes(name),
);
const CASES = [
  { name: 'never kept', names: NOT_KEPT, outstanding: 64 },
  { name: 'never kept, one at a time', names: NOT_KEPT, outstanding: 1 },
  { name: 'kept', names: KEPT, outstanding: 64 },
] as const;
const FIRST_PORT = 15_753;

const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-forward-'));
const [before] = loadavg();
try {
  await using running = new AsyncDisposableStack();
  const { load, forwarder } = buildPrograms(folder);
  const servers = await startAll(running, forwarder);
  const results = new Map<string, readonly Figures[]>();
  for (const one of CASES) results.set(one.name, await compare(one, servers, load));
  const [after] = loadavg();
  console.log(
    `Load average ${before?.toFixed(1)} before, ${after?.toFixed(1)} after, the run's own included.\n`,
  );
  for (const [name, figures] of results) console.log(tableOf({ name }, figures));
  console.log(forwardGoals(results));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function startAll(running: AsyncDisposableStack, program: string): Promise<readonly Server[]> {
  const all = [...KEPT, ...NOT_KEPT];
  const knot = upstream(join(folder, 'upstream'), FIRST_PORT);
  running.use(await startServer({ name: 'upstream', port: FIRST_PORT, command: knot, all }));
  const servers: Server[] = [];
  for (const [index, name] of wanted.entries()) {
    const port = FIRST_PORT + 1 + index;
    const options = {
      folder: join(folder, name.replace(' ', '-')),
      port,
      upstreamPort: FIRST_PORT,
      program,
    };
    const command = FORWARDERS[name]?.(options) ?? [];
    servers.push(running.use(await startServer({ name, port, command, all })));
  }
  return servers;
}

async function compare(
  { name, names, outstanding }: (typeof CASES)[number],
  servers: readonly Server[],
  load: string,
): Promise<readonly Figures[]> {
  const queries = join(folder, 'queries');
  writeFileSync(queries, queryFile(names, 'a'));
  const ask = ({ port, pid }: Server, seconds: number) =>
    burst(load, { port, pid, queries, outstanding, seconds });
  // What is to be kept is kept, and what is compiled is.
  for (const server of servers) await ask(server, 2);
  const bursts = new Map<Server, Burst[]>(servers.map((server) => [server, []]));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const server of shuffled(servers)) {
      const result = await ask(server, Number(values.seconds));
      bursts.get(server)?.push(result);
      const busy = Number((loadavg()[0] ?? 0).toFixed(1));
      console.error(JSON.stringify({ case: name, server: server.name, round, ...result, load: busy }));
    }
  }
  return Array.from(bursts, ([server, all]) => {
    const median = (key: keyof Burst) => middle(all.map((one) => one[key]));
    return {
      server: server.name,
      perSecond: median('perSecond'),
      p50: median('p50'),
      p99: median('p99'),
      p999: median('p999'),
      cpu: median('cpu'),
      lost: all.reduce((sum, { lost }) => sum + lost, 0),
      mebibytes: rssOf(server.pid),
    };
  });
}

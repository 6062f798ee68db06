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
import { buildPrograms, burst } from './dns/load.ts';
import { queryFile } from './dns/names.ts';
import { type Server, startServer } from './dns/peers.ts';
import { tableOf } from './dns/report.ts';
import { type Figures, figuresOf, measureInRounds } from './dns/rounds.ts';

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
  const results = await measureInRounds(name, servers, Number(values.rounds), (server) =>
    ask(server, Number(values.seconds)),
  );
  return Array.from(results, ([server, bursts]) => figuresOf(server, bursts));
}

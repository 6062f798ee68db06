/**
 * `npm run bench:dns [-- --full --case NAME,… --only SERVER,… --rounds N --seconds S]`: compares heddle's resolver,
 * step by step, with the servers in Debian, on loopback, in one run. It prints a line of JSON for each burst to standard
 * error, and at the end tables of medians and the results for the goals.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findConsul } from '../scripts/setup/consul.mjs';
import { type Case, cases } from './dns/cases.ts';
import { buildPrograms, type Programs } from './dns/load.ts';
import type { Named } from './dns/names.ts';
import { PEERS, type Server, startConsul, startServer } from './dns/peers.ts';
import { race } from './dns/race.ts';
import { goalsOf, tableOf } from './dns/report.ts';
import type { Figures } from './dns/rounds.ts';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    case: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
  },
});
const isIn = (list: string, name: string) => list === '' || list.split(',').includes(name);
const wanted = cases(values.full)
  .filter(({ name }) => isIn(values.case, name.replaceAll(',', '')))
  .map((one) => ({ ...one, servers: one.servers.filter((server) => isIn(values.only, server)) }));

const FIRST_PORT = 15_353;
/** Consul uses five consecutive ports. */
const PORTS_EACH = 10;

const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-dns-'));
const results = new Map<string, readonly Figures[]>();
const [before] = loadavg();
try {
  const programs = buildPrograms(folder);
  for (const one of wanted) {
    let port = FIRST_PORT;
    const start = (server: string, all: readonly Named[]) => {
      port += PORTS_EACH;
      return startOf(one, server, port, all, programs);
    };
    const options = {
      folder,
      programs,
      start,
      rounds: Number(values.rounds),
      seconds: Number(values.seconds),
    };
    results.set(one.name, await race(one, options));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const [after] = loadavg();
console.log(
  `Load average ${before?.toFixed(1)} before, ${after?.toFixed(1)} after, the run's own included.\n`,
);
for (const one of wanted) console.log(tableOf(one, results.get(one.name) ?? []));
console.log(goalsOf(results));

function startOf(
  { names, addresses, queries, changes = 0 }: Case,
  server: string,
  port: number,
  all: readonly Named[],
  { echo, heddle }: Programs,
): Promise<Server> {
  const step = /^heddle (.*)$/.exec(server)?.[1];
  if (step !== undefined) {
    // As bin/heddle starts it.
    const command = [process.execPath, '--max-semi-space-size=2', heddle];
    const data = [port, names, addresses, step, changes].map(String);
    return startServer({ name: server, port, command: [...command, ...data], all, isOurs: true });
  }
  if (server === 'echo') return startServer({ name: server, port, command: [echo, String(port)], all: [] });
  if (server === 'Consul') {
    const consul = findConsul();
    if (consul === undefined) throw new Error('consul is missing: npm run bench:dns fetches it');
    return startConsul(consul, port, all);
  }
  const configure = PEERS[server];
  if (!configure) throw new Error(`expected one of ${Object.keys(PEERS).join(', ')}, not ${server}`);
  return startServer({
    name: server,
    port,
    command: configure(join(folder, server), port, all, queries),
    all,
  });
}

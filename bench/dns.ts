/**
 * `npm run bench:dns [-- --rounds N --seconds S --names N --addresses N --churn N --only a,b]`: queries per second,
 * percentiles and CPU a query of heddle's resolver beside the servers that Debian has, on loopback, in one run. Every
 * round takes the servers in a new order; prints one JSON line a burst, then the medians.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findConsul } from '../scripts/setup/consul.mjs';
import { type Burst, buildLoad, burst } from './dns/load.ts';
import { queryFile, services } from './dns/names.ts';
import { PEERS, type Server, startConsul, startServer } from './dns/peers.ts';

const { values: words } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    names: { type: 'string', default: '1000' },
    addresses: { type: 'string', default: 'mixed' },
    churn: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
  },
});
const { addresses, churn } = words;
const all = services(Number(words.names), addresses === 'mixed' ? undefined : Number(addresses));
const only = words.only === '' ? undefined : words.only.split(',');
const isWanted = (name: string) => only === undefined || only.includes(name);
const FIRST_PORT = 15_353;
const OUTSTANDING = 64;

const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-dns-'));
const servers: Server[] = [];
const results = new Map<string, Burst[]>();
try {
  const load = buildLoad(folder);
  const queries = join(folder, 'queries');
  writeFileSync(queries, queryFile(all, addresses === 'mixed' ? 'mix' : 'a'));
  await startAll();
  for (let round = 0; round < Number(words.rounds); round += 1) {
    for (const server of shuffled(servers)) {
      const { name, port, pid } = server;
      const options = { port, pid, queries, outstanding: OUTSTANDING, seconds: Number(words.seconds) };
      const result = await burst(load, options);
      results.set(name, [...(results.get(name) ?? []), result]);
      const [busy] = loadavg();
      console.log(
        JSON.stringify({ server: name, round, ...result, load: Math.round((busy ?? 0) * 10) / 10 }),
      );
    }
  }
} finally {
  for (const server of servers) await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}
console.log('\nmedians: server, queries/s, p50 µs, p99 µs, CPU µs a query, lost in all');
for (const [name, bursts] of results) {
  const median = (read: (one: Burst) => number) => bursts.map(read).sort((a, b) => a - b)[bursts.length >> 1];
  const lost = bursts.reduce((sum, one) => sum + one.lost, 0);
  const figures = [
    median((b) => b.perSecond),
    median((b) => b.p50),
    median((b) => b.p99),
    median((b) => b.cpu),
    lost,
  ];
  console.log([name, ...figures].join('\t'));
}

async function startAll(): Promise<void> {
  let port = FIRST_PORT;
  const own = join(import.meta.dirname, 'dns/heddle-server.ts');
  for (const kind of ['plain', 'cached', 'batched']) {
    port += 1;
    if (!isWanted(`heddle ${kind}`) && !isWanted('heddle')) continue;
    const command = [process.execPath, own, String(port), words.names, addresses, kind, churn];
    servers.push(await startServer(`heddle ${kind}`, port, command, all));
  }
  for (const [name, configure] of Object.entries(PEERS)) {
    port += 1;
    if (!isWanted(name)) continue;
    servers.push(await startServer(name, port, configure(join(folder, name), port, all), all));
  }
  const consul = findConsul();
  if (!isWanted('Consul')) return;
  if (consul === undefined) throw new Error('no consul here: npm run bench:dns fetches it');
  servers.push(await startConsul(consul, port + 1, all));
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

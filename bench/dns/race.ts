import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Case } from './cases.ts';
import { type Burst, burst, dnsperf, type Programs, rssOf } from './load.ts';
import { type Named, queryFile, queryLines, services } from './names.ts';
import type { Server } from './peers.ts';
import { oldestAnswer } from './staleness.ts';

/** The figures of one server in one case: medians over the rounds; times in microseconds. */
export interface Figures {
  readonly server: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly cpu: number;
  readonly lost: number;
  readonly mebibytes: number;
  readonly dnsperf?: number;
  /** Age of the oldest answer in milliseconds, if services change. */
  readonly oldest?: number;
}

export interface RaceOptions {
  readonly folder: string;
  readonly programs: Programs;
  readonly rounds: number;
  readonly seconds: number;
  start(server: string, all: readonly Named[]): Promise<Server>;
}

/** Long enough to query every name, and for the code to be compiled, before anything is measured. */
const warmUpSeconds = (names: number) => 1 + names / 10_000;

/** Measures all servers of a case in turn, in a new order each round, so that other load affects all alike. */
export async function race(one: Case, options: RaceOptions): Promise<readonly Figures[]> {
  const { folder, programs, rounds, seconds } = options;
  const { addresses, outstanding, names } = one;
  const all = services(names, addresses === 'mixed' ? undefined : addresses);
  const [queries, lines] = [join(folder, 'queries'), join(folder, 'lines')];
  writeFileSync(queries, queryFile(all, one.queries));
  writeFileSync(lines, queryLines(all, one.queries));
  await using running = new AsyncDisposableStack();
  const servers: Server[] = [];
  for (const name of one.servers) servers.push(running.use(await options.start(name, all)));
  const ask = (server: Server, time: number) =>
    burst(programs.load, { port: server.port, pid: server.pid, queries, outstanding, seconds: time });
  for (const server of servers) await ask(server, server.isOurs ? warmUpSeconds(names) : 1);

  const bursts = new Map<Server, (Burst & { readonly oldest: number })[]>(servers.map((s) => [s, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const server of shuffled(servers)) {
      const done = new AbortController();
      const oldest = one.changes ? oldestAnswer(server.port, done.signal) : 0;
      const result = await ask(server, seconds);
      done.abort();
      const measured = { ...result, oldest: await oldest };
      bursts.get(server)?.push(measured);
      const load = Number((loadavg()[0] ?? 0).toFixed(1));
      console.error(JSON.stringify({ case: one.name, server: server.name, round, ...measured, load }));
      // Work that the load generator leaves to the kernel must not count for the next server.
      await delay(50);
    }
  }
  const figures: Figures[] = [];
  for (const [{ name, pid, port }, results] of bursts) {
    const median = (key: keyof Burst) => middle(results.map((result) => result[key]));
    figures.push({
      server: name,
      perSecond: median('perSecond'),
      p50: median('p50'),
      p99: median('p99'),
      p999: median('p999'),
      cpu: median('cpu'),
      lost: results.reduce((sum, { lost }) => sum + lost, 0),
      mebibytes: rssOf(pid),
      ...(one.dnsperf && name !== 'echo' && { dnsperf: await dnsperf(port, lines, outstanding, seconds) }),
      ...(one.changes && { oldest: Math.max(...results.map(({ oldest }) => oldest)) }),
    });
  }
  return figures;
}

export function middle(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] as number;
}

export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

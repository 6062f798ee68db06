import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Case } from './cases.ts';
import { burst, dnsperf, type Programs } from './load.ts';
import { type Named, queryFile, queryLines, services } from './names.ts';
import type { Server } from './peers.ts';
import { type Figures, figuresOf, measureInRounds } from './rounds.ts';
import { oldestAnswer } from './staleness.ts';

export interface RaceOptions {
  readonly folder: string;
  readonly programs: Programs;
  readonly rounds: number;
  readonly seconds: number;
  start(server: string, all: readonly Named[]): Promise<Server>;
}

/** Long enough to query every name, and for the code to be compiled, before anything is measured. */
const warmUpSeconds = (names: number) => 1 + names / 10_000;

/** Starts all servers of a case, and measures them. */
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

  const results = await measureInRounds(one.name, servers, rounds, async (server) => {
    const done = new AbortController();
    const oldest = one.changes ? oldestAnswer(server.port, done.signal) : 0;
    const result = await ask(server, seconds);
    done.abort();
    const measured = { ...result, oldest: await oldest };
    // Work that the load generator leaves to the kernel must not count for the next server.
    await delay(50);
    return measured;
  });
  const figures: Figures[] = [];
  for (const [server, bursts] of results) {
    const { name, port } = server;
    figures.push({
      ...figuresOf(server, bursts),
      ...(one.dnsperf && name !== 'echo' && { dnsperf: await dnsperf(port, lines, outstanding, seconds) }),
      ...(one.changes && { oldest: Math.max(...bursts.map(({ oldest }) => oldest)) }),
    });
  }
  return figures;
}

import { loadavg } from 'node:os';
import { type Burst, rssOf } from './load.ts';
import type { Server } from './peers.ts';

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

/**
 * Measures all servers in turn, in a new order each round, so that other load affects all alike. Prints each result as a
 * line of JSON to standard error.
 */
export async function measureInRounds<Result extends Burst>(
  name: string,
  servers: readonly Server[],
  rounds: number,
  measure: (server: Server) => Promise<Result>,
): Promise<ReadonlyMap<Server, readonly Result[]>> {
  const results = new Map<Server, Result[]>(servers.map((server) => [server, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const server of shuffled(servers)) {
      const result = await measure(server);
      results.get(server)?.push(result);
      const load = Number((loadavg()[0] ?? 0).toFixed(1));
      console.error(JSON.stringify({ case: name, server: server.name, round, ...result, load }));
    }
  }
  return results;
}

/** The medians of a server's bursts, its lost queries and its memory. */
export function figuresOf({ name, pid }: Server, bursts: readonly Burst[]): Figures {
  const median = (key: keyof Burst) => middle(bursts.map((burst) => burst[key]));
  return {
    server: name,
    perSecond: median('perSecond'),
    p50: median('p50'),
    p99: median('p99'),
    p999: median('p999'),
    cpu: median('cpu'),
    lost: bursts.reduce((sum, { lost }) => sum + lost, 0),
    mebibytes: rssOf(pid),
  };
}

function middle(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] as number;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

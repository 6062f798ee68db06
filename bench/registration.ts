/**
 * `npm run bench:registration [-- --runs N --only real|simulated]`: measures the time from Docker's event to the answer,
 * for names of services and of containers. It also measures how many names are lost in a burst, and how long a start with
 * 100 running containers takes. Simulated containers show what grows with their number. It uses a real engine and a real
 * Consul in a world of its own, and prints one line of JSON for each case and run.
 */
import { parseArgs } from 'node:util';
import { runInWorld } from '../scripts/world/launch.ts';
import { ConsulAgent } from '../test/support/consul.ts';
import { startDaemon } from '../test/support/heddle.ts';
import { removeAll } from './registration/containers.ts';
import { burst, type Labels, latency, running, sync } from './registration/measures.ts';
import { SimulatedEngine } from './registration/simulated.ts';

const INSIDE = 'HEDDLE_BENCH_INSIDE';
/** A log line for each query would cost more than the answers. */
const QUIET = ['-dev', '-log-level=warn'];
/** Long enough to include a full scan. */
const REST_S = 65;

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const runs = Number(values.runs);
const { only } = values;

if (process.env[INSIDE] === undefined) {
  process.exitCode = await runInWorld([process.execPath, import.meta.filename, ...process.argv.slice(2)], {
    [INSIDE]: '1',
  });
} else {
  for (const registry of ['embedded', 'consul'] as const) {
    for (const attached of [false, true]) {
      if (only !== 'simulated') await measure(registry, attached);
    }
  }
  if (only !== 'real') {
    for (const count of [100, 1000]) await simulated('consul', count);
    for (const count of [100, 1000, 10_000]) await simulated('embedded', count);
  }
}

async function simulated(registry: 'embedded' | 'consul', count: number): Promise<void> {
  const consul = registry === 'consul' ? new ConsulAgent({ mode: QUIET }) : undefined;
  await consul?.start();
  await using engine = await SimulatedEngine.start(count);
  const flags = ['--address', 'internal', ...(consul ? ['--registry', consul.uri] : [])];
  await using daemon = await startDaemon(flags, { DOCKER_HOST: engine.address });
  const port = consul?.dnsPort ?? daemon.dnsPort;
  const forget = async () => consul?.wipe();
  try {
    for (let run = 0; run < runs; run++) {
      const result = await sync(daemon, port, engine.names, { restSeconds: REST_S, forget });
      console.log(JSON.stringify({ registry, measured: `start with ${count} simulated`, ...result }));
    }
  } finally {
    await consul?.stop();
  }
}

async function measure(registry: 'embedded' | 'consul', attached: boolean): Promise<void> {
  // Without attachment the container's own address is announced, so that the time of attaching is not included.
  const labels: Labels = (index) =>
    attached ? { 'heddle.cidr': `10.2.${Math.floor(index / 250)}.${(index % 250) + 1}/16` } : {};
  const consul = registry === 'consul' ? new ConsulAgent({ mode: QUIET }) : undefined;
  await consul?.start();
  const flags = ['--address', 'ethwe,internal', ...(consul ? ['--registry', consul.uri] : [])];
  const daemon = await startDaemon(flags);
  const port = consul?.dnsPort ?? daemon.dnsPort;
  const say = (measured: string, result: object) =>
    console.log(JSON.stringify({ registry, attached, measured, ...result }));
  try {
    for (let run = 0; run < runs; run++) {
      for (const atOnce of [false, true]) {
        // Consul has no names of containers; with twenty at once, one form of name causes enough queries.
        const forms = consul || atOnce ? (['service'] as const) : (['service', 'weave'] as const);
        const found = await latency(port, labels, 20, { atOnce, forms });
        for (const figures of found) say(atOnce ? '20 at once' : '20 one by one', figures);
      }
      say('40, twenty at once', await burst(port, labels, 40));
    }
    const wanted = await running(100, labels);
    const forget = async () => consul?.wipe();
    for (let run = 0; run < runs; run++)
      say('start with 100 running', await sync(daemon, port, wanted, { restSeconds: 5, forget }));
  } finally {
    await removeAll();
    await daemon[Symbol.asyncDispose]();
    await consul?.stop();
  }
}

/**
 * `npm run bench:registration [-- --runs N --only real|simulated]`: how long it takes from Docker's event to
 * the answer, for names of services and of containers, how many names are lost in a burst, and how long a start with
 * 100 running containers takes; with simulated ones, what grows with their number. Real engine, real Consul, in a
 * world of its own; prints one JSON line a case and run.
 */
import { parseArgs } from 'node:util';
import { runInWorld } from '../scripts/world/launch.ts';
import { ConsulAgent } from '../test/support/consul.ts';
import { startDaemon } from '../test/support/heddle.ts';
import { removeAll } from './registration/containers.ts';
import { burst, type Labels, latency, running, sync } from './registration/measures.ts';
import { SimulatedEngine } from './registration/simulated.ts';

const INSIDE = 'HEDDLE_BENCH_INSIDE';
/** A line of log for each question would cost more than the answers. */
const QUIET = ['-dev', '-log-level=warn'];
/** A pass over everything is among it. */
const REST_S = 65;

const { values: words } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const runs = Number(words.runs);
const { only } = words;

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
  // Without attachment the container's own address is announced, so that the network's time is not mixed in.
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
        // Consul has no names of containers, and twenty names are questions enough.
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

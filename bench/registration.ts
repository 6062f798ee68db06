/**
 * `npm run bench:registration [-- --runs N]`: how long it takes from Docker's event to the answer, how many names
 * are lost in a burst, and how long a start with 100 running containers takes. Real engine, real Consul, in a world
 * of its own; prints one JSON line a case and run.
 */
import { runInWorld } from '../scripts/world/launch.ts';
import { ConsulAgent } from '../test/support/consul.ts';
import { startDaemon } from '../test/support/heddle.ts';
import { removeAll } from './registration/containers.ts';
import { burst, type Labels, latency, running, sync } from './registration/measures.ts';

const INSIDE = 'HEDDLE_BENCH_INSIDE';
const runsAt = process.argv.indexOf('--runs');
const runs = runsAt < 0 ? 3 : Number(process.argv[runsAt + 1]);

if (process.env[INSIDE] === undefined) {
  process.exitCode = await runInWorld([process.execPath, import.meta.filename, '--runs', `${runs}`], {
    [INSIDE]: '1',
  });
} else {
  for (const registry of ['embedded', 'consul'] as const) {
    for (const attached of [false, true]) await measure(registry, attached);
  }
}

async function measure(registry: 'embedded' | 'consul', attached: boolean): Promise<void> {
  // Without attachment the container's own address is announced, so that the network's time is not mixed in.
  const labels: Labels = (index) =>
    attached ? { 'heddle.cidr': `10.2.${Math.floor(index / 250)}.${(index % 250) + 1}/16` } : {};
  const consul = registry === 'consul' ? new ConsulAgent() : undefined;
  await consul?.start();
  const flags = ['--address', 'ethwe,internal', ...(consul ? ['--registry', consul.uri] : [])];
  const daemon = await startDaemon(flags);
  const port = consul?.dnsPort ?? daemon.dnsPort;
  const say = (measured: string, result: object) =>
    console.log(JSON.stringify({ registry, attached, measured, ...result }));
  try {
    for (let run = 0; run < runs; run++) {
      say('20 one by one', await latency(port, labels, 20, false));
      say('20 at once', await latency(port, labels, 20, true));
      say('40, twenty at once', await burst(port, labels, 40));
    }
    const wanted = await running(100, labels);
    for (let run = 0; run < runs; run++) say('start with 100 running', await sync(daemon, port, wanted));
  } finally {
    await removeAll();
    await daemon[Symbol.asyncDispose]();
    await consul?.stop();
  }
}

/**
 * `npm run bench:attach`: compares attaching with the kernel's own time and with `ip -batch`. It also measures restarts,
 * the repair of 500 containers at a start, the address watch, and commands. It uses a real kernel and real engines in a
 * world of its own, and prints the table of docs/benchmarks.md.
 */
import { loadavg } from 'node:os';
import { runInWorld } from '../scripts/world/launch.ts';
import { clearWorld } from '../test/support/cleanup.ts';
import { measureRemote, measureStart } from './attach/commands.ts';
import { measureEngine } from './attach/engine.ts';
import { measureRepair } from './attach/repair.ts';
import { measureRestarts } from './attach/restarts.ts';
import { measureWatch } from './attach/watch.ts';
import { type Figures, figures } from './registration/figures.ts';

const INSIDE = 'HEDDLE_BENCH_INSIDE';
const ROUNDS = 50;
const CONTAINERS = 500;

if (process.env[INSIDE] === undefined) {
  process.exitCode = await runInWorld([process.execPath, import.meta.filename], { [INSIDE]: '1' });
} else {
  console.log('| | bar | median | p95 | max |\n|---|---|---|---|---|');
  const { engine, again, kernel, batch } = await measureEngine(ROUNDS);
  say('attach: the bare messages', '–', kernel);
  say('attach: the engine', `bare + 2 ms = ${ms(kernel.median + 2)}`, engine);
  say('attach: `ip -batch`', `4 × the engine = ${ms(4 * engine.median)}, or more`, batch);
  say('attach what is attached', '–', again);
  say('address there → known', 'p95 10 ms', await measureWatch(ROUNDS));
  const { byHand, byPolicy, byEngine } = await measureRestarts();
  say('start → address back, `docker restart`', '50 ms', byHand);
  say('start → address back, restart policy', '50 ms', byPolicy);
  say("engine's first answer → address back, 20 at once", '50 ms', byEngine);
  await clearWorld();
  const repairs = [];
  for (let run = 0; run < 3; run++) repairs.push(await measureRepair(CONTAINERS));
  say(
    `${CONTAINERS} containers repaired, from the daemon's spawn`,
    '2 s',
    figures(repairs.map(({ tookMs }) => tookMs)),
  );
  say(
    "processor time of that, the kernel's for it included",
    '–',
    figures(repairs.map(({ cpuMs }) => cpuMs)),
  );
  const { version, node } = await measureStart(ROUNDS);
  say('`node -e 0`', '–', node);
  say('`heddle version`', `node + 80 ms = ${ms(node.median + 80)}`, version);
  const { attach, exec } = await measureRemote(ROUNDS);
  say('`docker exec true`, remote', '–', exec);
  say('`heddle attach`, remote', `exec + 250 ms = ${ms(exec.median + 250)}`, attach);
  console.log(`\nLoad average at the end: ${loadavg()[0]?.toFixed(1)}.`);
  await clearWorld();
  process.exit(0);
}

function say(measured: string, bar: string, { median, p95, max }: Figures): void {
  console.log(`| ${measured} | ${bar} | ${ms(median)} | ${ms(p95)} | ${ms(max)} |`);
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

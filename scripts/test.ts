/**
 * `npm test [-- filter…]`: runs lint, types and unit tests on the host. Contract tests and scenarios run inside worlds,
 * each with a real engine (old Docker, current Docker, podman), a real Consul and real namespaces. With filters, only
 * matching test files run, and only worlds that have any. `--full` runs everything on old and current Docker with the
 * larger counts, and writes docs/verification.md. The run fails if a test fails or is skipped, if none ran, or if a part
 * is missing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './root.ts';
import { baseImageTar } from './setup/base-image.mjs';
import { requireParts } from './test/parts.ts';
import { runProgram } from './test/program.ts';
import { noTests, sum, type Tally, tallyTable } from './test/tally.ts';
import { writeVerification } from './test/verification.ts';
import { vitestCommand, vitestReport } from './test/vitest.ts';
import { hasTests, WORLDS, type World } from './test/worlds.ts';
import { OLD, type WorldEngine } from './world/engines.ts';
import { runInWorld } from './world/launch.ts';
import { differences, hostTraces } from './world/traces.ts';

// The tools of this clone and its Node, also if npm has not put them on PATH.
process.env.PATH = `${ROOT}/node_modules/.bin:${process.env.PATH}`;

const args = process.argv.slice(2);
const full = args.includes('--full');
// Every ring reads this variable for its counts, inside worlds and outside.
if (full) process.env.HEDDLE_TEST_FULL = '1';
const filters = args.filter((arg) => arg !== '--full');
const consul = requireParts();
const scratch = mkdtempSync(join(tmpdir(), 'heddle-test-'));

/** A running world forwards Ctrl-C to its tests; without this the next world would start afterwards. */
let interruptedBy: NodeJS.Signals | undefined;
let isInWorlds = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interruptedBy = signal;
    if (!isInWorlds) process.kill(process.pid, signal); // now without a listener
  });
}

const rings: Tally[] = [];
async function ring(name: string, work: () => Promise<Omit<Tally, 'name' | 'seconds'>>): Promise<void> {
  console.log(`\n== ${name}`);
  const started = Date.now();
  rings.push({ name, ...(await work()), seconds: (Date.now() - started) / 1000 });
}

async function testsInWorld({ engine, projects }: World) {
  const report = join(scratch, `${projects.join('-')}.json`);
  const command = vitestCommand(projects, report, filters).flat();
  const env = { HEDDLE_TEST_CONSUL: consul, HEDDLE_TEST_BASE_TAR: baseImageTar() };
  return vitestReport(report, await runInWorld(command, env, { terminal: false, engine }));
}

/** The demo checks the output of its commands: it passes if it ends with status 0. */
async function demoInWorld(engine: WorldEngine) {
  const command = [process.execPath, join(ROOT, 'scripts/demo/in-world.ts'), '--once'];
  const status = await runInWorld(command, {}, { terminal: false, engine });
  const failures = status === 0 ? [] : [`the demo ended with status ${status}`];
  return { ...noTests, isTests: true, passed: 1 - failures.length, failed: failures.length, failures };
}

const wantsDemo = filters.length === 0 || filters.includes('demo');
const ringsInWorlds: readonly (() => Promise<void>)[] = [
  ...WORLDS.filter(({ projects }) => hasTests(projects, filters)).map(
    (world) => () => ring(world.name, () => testsInWorld(world)),
  ),
  ...(wantsDemo ? [OLD, { program: 'new' } as const] : []).map(
    (engine) => () => ring(`demo, ${engine.program} engine`, () => demoInWorld(engine)),
  ),
];

/** Two at a time: tests mostly wait, and one world uses less than one of two processors. */
async function twoAtATime(works: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = works.values();
  const lane = async () => {
    for (const work of waiting) if (!interruptedBy) await work();
  };
  await Promise.all([lane(), lane()]);
}

try {
  if (filters.length === 0) {
    await ring('lint', () => runProgram('biome', ['check', '.']));
    await ring('types', () => runProgram('tsc', ['--noEmit']));
  }
  await ring('unit', async () => {
    const report = join(scratch, 'unit.json');
    const { failed } = await runProgram(...vitestCommand(['unit'], report, filters));
    return vitestReport(report, failed);
  });
  const before = hostTraces();
  isInWorlds = true;
  await twoAtATime(ringsInWorlds);
  await ring('the host is as it was', async () => {
    const found = differences(before, hostTraces());
    for (const line of found) console.log(line);
    return { ...noTests, passed: found.length === 0 ? 1 : 0, failed: found.length, failures: found };
  });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const total = sum(rings);
const tests = sum(rings.filter((each) => each.isTests));
for (const failure of total.failures) console.log(`failed: ${failure}`);
if (tests.passed + tests.failed === 0) console.log('no test ran');
if (total.skipped > 0) console.log('a skipped test proves nothing, so it counts as a failure');
if (interruptedBy) console.log(`interrupted by ${interruptedBy}: the other tests did not run`);
else if (full) writeVerification(rings, total);
console.log(`\n${tallyTable(rings)}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
const isGreen = total.failed === 0 && total.skipped === 0 && tests.passed > 0;
process.exitCode = isGreen && !interruptedBy ? 0 : 1;

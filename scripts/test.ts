/**
 * `npm test [-- filter…]`: lint, types and unit tests outside; contract tests and scenarios inside two worlds, each with
 * a real engine, a real Consul and real namespaces. With filters only the test files that match. `--full` takes the
 * larger counts and writes docs/verification.md. Fails when a test fails, is skipped, or when none ran.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './root.ts';
import { baseImageTar } from './setup/base-image.mjs';
import { requireParts } from './test/parts.ts';
import { runProgram } from './test/program.ts';
import { noTests, sum, type Tally } from './test/tally.ts';
import { writeVerification } from './test/verification.ts';
import { hasTests, vitestReport, vitestWords } from './test/vitest.ts';
import { runInWorld } from './world/launch.ts';
import { differences, hostTraces } from './world/traces.ts';

// The tools of this clone, and its Node for them, also when npm has not put them there.
process.env.PATH = `${ROOT}/node_modules/.bin:${process.env.PATH}`;

const args = process.argv.slice(2);
const full = args.includes('--full');
// Every ring reads its counts from here, inside the world and outside.
if (full) process.env.HEDDLE_TEST_FULL = '1';
const filters = args.filter((arg) => arg !== '--full');
const consul = requireParts();
const scratch = mkdtempSync(join(tmpdir(), 'heddle-test-'));

const rings: Tally[] = [];
async function ring(name: string, work: () => Promise<Omit<Tally, 'name' | 'seconds'>>): Promise<void> {
  console.log(`\n== ${name}`);
  const started = Date.now();
  rings.push({ name, ...(await work()), seconds: (Date.now() - started) / 1000 });
}

/** Side by side: what is tested waits more than it works, and one world keeps less than one of two processors busy. */
const WORLDS = {
  'contracts, registration and names': ['contract', 'names'],
  'network, faults and other hosts': ['network'],
} as const;

async function testsInWorld(name: string, projects: readonly string[]) {
  const report = join(scratch, `${name}.json`);
  const command = vitestWords(projects, report, filters).flat();
  const env = { HEDDLE_TEST_CONSUL: consul, HEDDLE_TEST_BASE_TAR: baseImageTar() };
  return vitestReport(report, await runInWorld(command, env, { terminal: false }));
}

try {
  if (filters.length === 0) {
    await ring('lint', () => runProgram('biome', ['check', '.']));
    await ring('types', () => runProgram('tsc', ['--noEmit']));
  }
  await ring('unit', async () => {
    const report = join(scratch, 'unit.json');
    const { failed } = await runProgram(...vitestWords(['unit'], report, filters));
    return vitestReport(report, failed);
  });
  const before = hostTraces();
  await Promise.all(
    Object.entries(WORLDS)
      .filter(([, projects]) => hasTests(projects, filters))
      .map(([name, projects]) => ring(name, () => testsInWorld(name, projects))),
  );
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
if (total.skipped > 0) console.log('a skipped test proves nothing: here it counts as a failure');
if (full) writeVerification(rings, total);
console.log(`\n${rings.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(', ')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.skipped > 0 || tests.passed === 0 ? 1 : 0;

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { sum } from '../../scripts/test/tally.ts';
import { vitestReport } from '../../scripts/test/vitest.ts';
import { temporaryFolder } from '../support/folder.ts';

const passed = { fullName: 'a works', status: 'passed' };
const failed = { fullName: 'b works', status: 'failed' };
const file = (name: string, status: string, ...assertionResults: object[]) => ({
  name: join(ROOT, 'test', name),
  status,
  assertionResults,
});

async function read(files: readonly object[], status: number) {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'report.json');
  await writeFile(path, JSON.stringify({ testResults: files }));
  return vitestReport(path, status);
}

test('passed, failed and every kind of skipped test are counted, and failures keep their titles', async () => {
  const skipped = ['pending', 'skipped', 'todo'].map((status) => ({ fullName: status, status }));
  expect(await read([file('x.test.ts', 'failed', passed, failed, ...skipped)], 1)).toEqual({
    passed: 1,
    failed: 1,
    skipped: 3,
    failures: ['test/x.test.ts: b works'],
    isTests: true,
  });
});

test('a failure is named with the first line of its message, cut short', async () => {
  const saying = (...failureMessages: string[]) => ({ ...failed, failureMessages });
  const tests = [saying('Error: no answer\n    at x.test.ts:3'), saying('x'.repeat(1000)), saying()];
  const { failures } = await read([file('x.test.ts', 'failed', ...tests)], 1);
  expect(failures).toEqual([
    'test/x.test.ts: b works: Error: no answer',
    `test/x.test.ts: b works: ${'x'.repeat(200)}`,
    'test/x.test.ts: b works',
  ]);
});

test('a file that cannot be run is a failure, although no test of it failed', async () => {
  const tally = await read([file('x.test.ts', 'failed'), file('y.test.ts', 'passed', passed)], 1);
  expect(tally).toMatchObject({ passed: 1, failed: 1, failures: ['test/x.test.ts could not run'] });
});

test('a run with a non-zero status is a failure even if all tests passed', async () => {
  expect(await read([file('x.test.ts', 'passed', passed)], 1)).toMatchObject({ passed: 1, failed: 1 });
});

test('a run without a report is a failure, and a run without tests counts none as passed', async () => {
  expect(vitestReport('/nowhere/report.json', 137)).toMatchObject({ passed: 0, failed: 1 });
  expect(vitestReport('/nowhere/report.json', 0)).toMatchObject({ passed: 0, failed: 0 });
});

test('rings are summed', async () => {
  const ring = { ...(await read([file('x.test.ts', 'failed', passed, failed)], 1)), name: 'x', seconds: 2 };
  const lint = { ...ring, passed: 1, failed: 0, failures: [], isTests: false };
  expect(sum([ring, lint])).toMatchObject({
    passed: 2,
    failed: 1,
    seconds: 4,
    failures: ['test/x.test.ts: b works'],
  });
});

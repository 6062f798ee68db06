import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { ROOT } from '../root.ts';
import type { Tally } from './tally.ts';

/** In characters. */
const LONGEST_REASON = 200;

/** The command that runs these projects of vitest.config.ts and writes the results to a JSON file. */
export function vitestCommand(
  projects: readonly string[],
  report: string,
  filters: readonly string[],
): [program: string, args: string[]] {
  const flags = [...projects.map((name) => `--project=${name}`), '--passWithNoTests'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return ['vitest', ['run', ...flags, ...reporters, ...filters]];
}

/** The parts of the report that are used; it has Jest's format. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** Counts the results. A file that could not run is a failure; so is a non-zero exit status without another failure. */
export function vitestReport(path: string, status: number): Omit<Tally, 'name' | 'seconds'> {
  const { testResults } = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as Report)
    : { testResults: [] };
  const tests = testResults.flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, file: relative(ROOT, file.name) })),
  );
  const failures = tests
    .filter((test) => test.status === 'failed')
    .map((test) => [`${test.file}: ${test.fullName}`, ...firstLine(test.failureMessages)].join(': '));
  for (const file of testResults) {
    const name = relative(ROOT, file.name);
    if (file.status === 'failed' && !failures.some((title) => title.startsWith(name))) {
      failures.push(`${name} could not run`);
    }
  }
  if (status !== 0 && failures.length === 0) failures.push(`vitest ended with status ${status}`);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const skipped = tests.length - passed - tests.filter((test) => test.status === 'failed').length;
  return { passed, failed: failures.length, skipped, failures, isTests: true };
}

/** A failure's line in the summary at the end; its full text appears where the test ran. */
const firstLine = ([message]: readonly string[] = []): readonly string[] =>
  message === undefined ? [] : [message.split('\n', 1)[0]?.slice(0, LONGEST_REASON) ?? ''];

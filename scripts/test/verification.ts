import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../root.ts';
import type { Tally } from './tally.ts';

/** Writes docs/verification.md: the results of a full run on this machine. */
export function writeVerification(rings: readonly Tally[], total: Tally): void {
  const row = ({ name, passed, failed, skipped, seconds }: Tally) =>
    `| ${name} | ${passed} | ${failed} | ${skipped} | ${seconds.toFixed(1)} |`;
  const failures = total.failures.map((title) => `- ${title}`);
  const lines = [
    '# Verification',
    '',
    'Written by `npm run test:full`: every test with the larger counts, against real parts.',
    '',
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    `- Commit: ${commit()}`,
    `- Machine: Linux ${release()}, Node ${process.versions.node}`,
    '',
    '| ring | passed | failed | skipped | seconds |',
    '|---|---|---|---|---|',
    ...[...rings, total].map(row),
    '',
    '| counts that differ | `npm test` | here |',
    '|---|---|---|',
    ...counts().map(({ file, small, full }) => `| ${file} | ${small} | ${full} |`),
    '',
    ...(failures.length === 0 ? ['Nothing failed.'] : ['Failed:', '', ...failures]),
    '',
  ];
  writeFileSync(join(ROOT, 'docs/verification.md'), lines.join('\n'));
}

/** Every `count(small, full)` in the tests, with its file. */
function counts(): readonly { readonly file: string; readonly small: string; readonly full: string }[] {
  return globSync('test/**/*.ts', { cwd: ROOT })
    .toSorted()
    .flatMap((file) =>
      Array.from(
        readFileSync(join(ROOT, file), 'utf8').matchAll(/\bcount\(([\d_]+), ([\d_]+)\)/g),
        ([, small = '', full = '']) => ({ file, small, full }),
      ),
    );
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', ':!docs/verification.md') !== '';
  return `${git('rev-parse', 'HEAD')}${changed ? ', with uncommitted changes' : ''}`;
}

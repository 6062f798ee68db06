import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';

/** `heddle` in a shell line, with bash for its PIPESTATUS; its status, and what the line printed. */
function shell(line: string): Promise<{ readonly status: string; readonly stderr: string }> {
  const program = `heddle() { '${process.execPath}' '${join(ROOT, 'src/main.ts')}' "$@"; }\n`;
  const env = { ...process.env, DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  return new Promise((resolve) => {
    execFile('bash', ['-c', program + line], { env, timeout: 60_000 }, (_, stdout, stderr) => {
      resolve({ status: stdout.trim().split('\n').at(-1) ?? '', stderr });
    });
  });
}

const END = 'echo $PIPESTATUS';

it.each([
  ['a reader that leaves at once', `heddle --help | true; ${END}`, '0', ''],
  ['a reader that has read enough', `heddle --help | head -1 >/dev/null; ${END}`, '0', ''],
  ['a failure without a reader keeps its status', `heddle ps --nosuch 2>&1 | true; ${END}`, '2', ''],
  ['no output at all', `heddle --help >&-; echo $?`, '0', ''],
  ['a closed stderr', `heddle ps --nosuch 2>&-; echo $?`, '2', ''],
])('%s', async (_, line, status, stderr) => {
  expect(await shell(line)).toEqual({ status, stderr });
});

it('a full disk is a failure with one sentence', async () => {
  expect(await shell('heddle --help >/dev/full; echo $?')).toEqual({
    status: '1',
    stderr: expect.stringMatching(/^heddle: cannot write the output: ENOSPC[^\n]*\n$/),
  });
});

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { runProgram } from '../support/program.ts';

const packagesOf = async (...args: readonly string[]) => {
  const trace = join(ROOT, 'test/support/loaded.ts');
  const env = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  const program = ['--import', trace, join(ROOT, 'src/main.ts'), ...args];
  const { stderr } = await runProgram(process.execPath, program, { env });
  return stderr.trim().split('\n').at(-1);
};

it.each([['version'], ['--help'], ['attach', '--help'], ['attach', '10.2.1.300/16', 'web']])(
  'loads only the packages that parse a command line: heddle %s',
  async (...args) => {
    expect(await packagesOf(...args)).toBe('commander ipaddr.js valibot');
  },
);

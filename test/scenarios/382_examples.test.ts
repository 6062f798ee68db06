import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HOST_COMMANDS } from '../../src/cli/program.ts';
import { RUN_EXAMPLES } from '../../src/commands/syntax/help-texts.ts';
import { runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { HEDDLE, heddle } from '../support/heddle.ts';
import { scenario } from '../support/scenario.ts';
import { shellWords } from '../support/shell-words.ts';

const { daemon } = scenario({ keepContainers: true });

test('the examples of every command’s help work, in their order', async () => {
  await using _web = await runContainer(['--name', 'web', '-e', 'SERVICE_NAME=web', '--expose', '80']);
  // Without a Consul, `gc` has nothing to remove.
  const lines = HOST_COMMANDS.filter(({ name }) => name !== 'gc').flatMap(({ examples = [] }) => examples);
  // A name is looked up before it is removed; an address that is not attached has no name.
  await daemon.command('attach', '10.2.1.1/16', 'web');
  for (const line of [...lines.filter((text) => !/^(detach|hide)/.test(text)), ...RUN_EXAMPLES]) {
    await eventually(async () => {
      expect({ line, ...(await daemon.command(...shellWords(line))) }).toMatchObject({
        status: 0,
        stderr: '',
      });
    });
  }
  for (const line of lines.filter((text) => /^(detach|hide)/.test(text))) {
    expect({ line, ...(await daemon.command(...shellWords(line))) }).toMatchObject({ status: 0, stderr: '' });
  }
});

test('a daemon whose log is no longer read keeps running', async () => {
  await using folder = await temporaryFolder();
  const socket = join(folder.path, 'heddle.sock');
  const flags = ['--socket', socket, '--state-dir', folder.path, '--no-dns', '--log-level', 'debug'];
  const child = spawn(HEDDLE, ['daemon', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  try {
    const command = (...args: string[]) => heddle(args, { env: { HEDDLE_SOCKET: socket } });
    await eventually(async () => expect((await command('healthcheck')).status).toBe(0), { within: 20_000 });
    child.stdout.destroy();
    child.stderr.destroy();
    // Each start and end of a container is logged.
    for (let times = 0; times < 3; times += 1) {
      await using web = await runContainer(['-e', 'SERVICE_NAME=late']);
      await eventually(async () => expect((await command('ps')).stdout).toContain(web.name));
    }
    expect(await command('healthcheck')).toMatchObject({ status: 0, stdout: 'healthy\n' });
  } finally {
    child.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
});

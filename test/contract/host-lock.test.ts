import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withHostLock } from '../../src/network/host-lock.ts';
import { temporaryFolder } from '../support/folder.ts';
import { succeed } from '../support/program.ts';

const LOCKED = '/proc/sys/net/ipv4/tcp_fastopen_key';
const here = { procfs: '/proc' };

/** Another process that holds the lock on a file until its scope ends. */
async function holder(...command: readonly string[]) {
  const [program = '', ...args] = command;
  const process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(process.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      process.stdin.end();
      await once(process, 'exit');
    },
  };
}
const HOLD = 'echo held; read line';

it('lies on something that root alone may open', () => {
  expect(statSync(LOCKED)).toMatchObject({ uid: 0 });
  expect(statSync(LOCKED).mode & 0o077).toBe(0);
});

it('excludes other processes, in a mount and pid namespace of their own as well, and ends with them', async () => {
  for (const enter of [[], ['unshare', '--mount', '--pid', '--fork']]) {
    await using _ = await holder(...enter, 'flock', LOCKED, 'sh', '-c', HOLD);
    await expect(withHostLock({ ...here, timeoutMs: 50 }, async () => 1)).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(/^another heddle command without a daemon has been running/),
    });
  }
  expect(await withHostLock({ ...here, timeoutMs: 50 }, async () => 1)).toBe(1);
});

it('is not held by a user who locks what a user may open', async () => {
  const user = ['setpriv', '--reuid=65534', '--clear-groups'];
  await using _ = await holder(...user, 'flock', '/proc/self/ns/net', 'sh', '-c', HOLD);
  await expect(succeed('setpriv', [...user.slice(1), 'flock', LOCKED, 'true'])).rejects.toThrow(/denied/);
  expect(await withHostLock({ ...here, timeoutMs: 50 }, async () => 1)).toBe(1);
});

it('leaves other hosts alone, which have a network namespace of their own', async () => {
  await using _ = await holder('unshare', '--net', 'flock', LOCKED, 'sh', '-c', HOLD);
  expect(await withHostLock({ ...here, timeoutMs: 50 }, async () => 1)).toBe(1);
});

it('one in this process waits for the one before it, whatever becomes of that', async () => {
  const order: string[] = [];
  const one = withHostLock(here, async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    order.push('one');
    throw new Error('failed');
  });
  const other = withHostLock(here, async () => order.push('other'));
  await expect(one).rejects.toThrow('failed');
  await other;
  expect(order).toEqual(['one', 'other']);
});

it('says so where there is nothing to lock', async () => {
  await using folder = await temporaryFolder();
  await expect(withHostLock({ procfs: folder.path }, async () => 1)).rejects.toMatchObject({
    code: 'not-supported',
  });
});

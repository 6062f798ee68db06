import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { HEDDLE, heddle } from '../../support/heddle.ts';
import type { RemoteEngine } from '../../support/remote-engine.ts';

export interface HelperParts {
  readonly there: RemoteEngine;
  /** What commands need besides the address of that host. */
  readonly env: Readonly<Record<string, string>>;
}

/** Commands on another host without a daemon but with a container `far`. At the end a daemon runs again. */
export function byHelper(parts: () => HelperParts): void {
  describe('by a helper container', () => {
    const envOf = ({ there, env }: HelperParts) => ({ ...there.env, ...env });
    const command = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
      heddle(args, { env: { ...envOf(parts()), ...more } });

    test.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('which does not outlive a caller who is ended by %s', async (signal, status) => {
      const { there } = parts();
      const before = await there.docker('ps', '-q');
      // It asks busybox to end, which takes its time.
      const restarting = spawn(HEDDLE, ['restart', 'far'], {
        env: { ...process.env, ...envOf(parts()) },
        stdio: 'ignore',
      });
      const ended = once(restarting, 'exit');
      await eventually(async () => expect(await there.docker('ps', '-q')).not.toBe(before));
      restarting.kill(signal);
      expect(await ended).toEqual([status, null]);
      expect(await there.docker('ps', '-q')).toBe(before);
    });

    test('ps marks the helper that prints it, and doctor asks for nothing that a helper does not need', async () => {
      const { stdout } = await command(['ps']);
      expect(stdout.match(/not announced: heddle itself, for one command$/gm)).toHaveLength(1);
      const findings = JSON.parse((await command(['doctor', '--format', 'json'])).stdout) as object[];
      expect(findings).toContainEqual(expect.objectContaining({ subject: 'capabilities', state: 'ok' }));
    });

    test("a command runs with the caller's variables and flags", async () => {
      const flags = ['--bridge', 'loom', '--socket', '/nowhere/heddle.sock'];
      const { stdout } = await command([...flags, 'settings'], { WEAVE_MTU: '1300' });
      expect(stdout).toMatch(/^bridge +loom +--bridge$/m);
      expect(stdout).toMatch(/^mtu +1300 +WEAVE_MTU$/m);
      expect(stdout).toMatch(/^procfs +\/hostproc +HEDDLE_PROCFS$/m);
      expect(stdout).toMatch(/^socket +\/run\/heddle\/heddle\.sock +default$/m);
    });

    test('the next daemon respects a reset', async () => {
      const { there } = parts();
      expect(await command(['reset'])).toEqual({ status: 0, stdout: '', stderr: '' });
      expect((await command(['launch'])).status).toBe(0);
      expect((await command(['status', 'ipam'])).stdout).toContain('0 addresses of 0 owners');
      expect(await there.run('ip', 'link')).not.toContain('vethwl');
    });
  });
}

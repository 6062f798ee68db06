import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { heddle } from '../../support/heddle.ts';
import type { RemoteEngine } from '../../support/remote-engine.ts';
import { openSsh, type SshAccess } from '../../support/ssh.ts';

export interface SshParts {
  readonly there: RemoteEngine;
  /** What commands need besides the address of that host. */
  readonly env: Readonly<Record<string, string>>;
}

/** Commands on another host, reached by ssh; a container `far` has 10.2.1.1 there. */
export function bySsh(parts: () => SshParts): void {
  describe('by ssh', () => {
    let there: RemoteEngine;
    let ssh: SshAccess;
    beforeAll(async () => {
      there = parts().there;
      ssh = await openSsh(there);
    });
    afterAll(() => ssh?.[Symbol.asyncDispose]());
    /** With the context alone, no DOCKER_HOST; unless more is given. */
    const command = (args: readonly string[], more: Readonly<Record<string, string | undefined>> = {}) =>
      heddle(args, { env: { ...parts().env, ...ssh.env, ...more } });

    test("the docker client's context is the host that commands run on", async () => {
      expect(await command(['ps'])).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/far .*10\.2\.1\.1/),
      });
      const ran = await command(['run', '10.2.1.6/16', '--name', 'farther', 'busybox', 'sleep', '600']);
      expect(ran).toMatchObject({ status: 0, stderr: '' });
      const address = await there.docker('exec', 'farther', 'ip', 'address', 'show', 'ethwe');
      expect(address).toContain('10.2.1.6/16');
      await there.docker('rm', '-f', 'farther');
      expect((await command(['ps'], { DOCKER_CONTEXT: 'default' })).stdout).not.toContain('far');
    });

    test("DOCKER_HOST may be a host of the caller's own ssh settings", async () => {
      const more = { DOCKER_CONTEXT: undefined, DOCKER_HOST: `ssh://${ssh.host}` };
      const found = await command(['--trace', 'docker-bridge-ip'], more);
      expect(found).toMatchObject({ status: 0, stdout: '172.17.0.1\n' });
      expect(found.stderr).toContain('+ GET /containers/heddle/json\n');
    });

    test('a host with an unknown key is not trusted, and ssh reports it', async () => {
      const { status, stdout, stderr } = await command(['ps'], ssh.stranger);
      expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
      expect(stderr).toMatch(/^heddle: cannot [^\n]*Host key verification failed[^\n]*\n$/);
    });
  });
}

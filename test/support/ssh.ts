import { spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { temporaryFolder } from './folder.ts';
import { succeed } from './program.ts';
import type { RemoteEngine } from './remote-engine.ts';

const PORT = 2222;

/** An ssh server on another host, and what its one user needs to reach it. */
export interface SshAccess extends AsyncDisposable {
  /** As the user's ssh settings call it. */
  readonly host: string;
  /** With the context `far` of the docker client chosen. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Added to the settings: the same host with an unknown key. */
  readonly stranger: Readonly<Record<string, string>>;
}

/**
 * Starts sshd there, with keys made for this one test. The user's settings are given to ssh by a program of that name
 * first on PATH: ssh looks for them in the home of the account, whatever HOME says.
 */
export async function openSsh(there: RemoteEngine): Promise<SshAccess> {
  const folder = await temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  for (const name of ['host', 'user']) {
    await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(name)]);
  }
  await writeFile(
    path('sshd_config'),
    [
      `ListenAddress ${there.ip}:${PORT}`,
      `HostKey ${path('host')}`,
      `AuthorizedKeysFile ${path('user.pub')}`,
      `PidFile ${path('sshd.pid')}`,
      ...['UsePAM no', 'StrictModes no', 'PermitRootLogin prohibit-password'],
    ].join('\n'),
  );
  await writeFile(path('known_hosts'), `[${there.ip}]:${PORT} ${await readFile(path('host.pub'), 'utf8')}`);
  const user = (knownHosts: string) =>
    [
      ...['Host build', `HostName ${there.ip}`, `Port ${PORT}`, 'User root', `IdentityFile ${path('user')}`],
      ...[`UserKnownHostsFile ${knownHosts}`, 'StrictHostKeyChecking yes', 'BatchMode yes'],
    ].join('\n');
  await writeFile(path('ssh_config'), user(path('known_hosts')));
  await writeFile(path('strange_config'), user('/dev/null'));
  await writeFile(path('ssh'), '#!/bin/sh\nexec /usr/bin/ssh -F "$HEDDLE_TEST_SSH_CONFIG" "$@"\n');
  await chmod(path('ssh'), 0o755);

  // sshd separates its privileges in this folder.
  await there.run('mkdir', '-p', '/run/sshd');
  const [enter = '', ...args] = there.enter;
  const sshd = ['/usr/sbin/sshd', '-D', '-f', path('sshd_config')];
  const server = spawn(enter, [...args, ...sshd], { stdio: 'ignore' });
  const env = {
    PATH: `${folder.path}:${process.env.PATH}`,
    HEDDLE_TEST_SSH_CONFIG: path('ssh_config'),
    DOCKER_HOST: undefined,
    DOCKER_CONFIG: path('docker'),
    DOCKER_CONTEXT: 'far',
  };
  const context = ['context', 'create', 'far', '--docker', 'host=ssh://build'];
  await succeed('docker', context, { env: { ...env, DOCKER_CONTEXT: undefined } });
  await eventually(() => succeed('docker', ['version'], { env }));
  return {
    host: 'build',
    env,
    stranger: { HEDDLE_TEST_SSH_CONFIG: path('strange_config') },
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await folder[Symbol.asyncDispose]();
    },
  };
}

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { run } from './command.mjs';
import { engineAnswers } from './docker-host.mjs';
import { packagesOf } from './machine.mjs';
import { say } from './say.mjs';

/** Debian's own mechanism: during an installation, its exit status 101 forbids packages to start services. */
const POLICY = '/usr/sbin/policy-rc.d';

/** Installs the Debian packages of the missing parts, and starts none of their services. */
export async function installPackages(missing) {
  const packages = packagesOf(missing);
  if (packages.length === 0) return;
  say(`installing ${packages.join(', ')} from Debian (no service is started)`);
  const quiet = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const silentBefore = !(await engineAnswers());
  await withoutServices(() => {
    run('apt-get', ['-q', 'update'], quiet);
    run('apt-get', ['-q', '-y', 'install', '--no-install-recommends', ...packages], quiet);
  });
  if (!packages.includes('docker.io')) return;
  if (silentBefore && (await engineAnswers())) {
    say('installing docker.io started a Docker engine on this host; it is left running');
  } else if (existsSync('/run/systemd/system')) {
    say(
      'systemd will start the Docker engine at the next boot, unless: systemctl disable docker.service docker.socket',
    );
  }
}

async function withoutServices(work) {
  // An existing policy is the owner's own decision, and stays.
  const ours = !existsSync(POLICY);
  const remove = () => ours && rmSync(POLICY, { force: true });
  const interrupted = () => {
    remove();
    process.exit(130);
  };
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    work();
  } finally {
    remove();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

/**
 * Set-up, run by npm before `demo`, `test` and `bench`. Idempotent, and says one line for each step that does
 * something. It must run on the system's own Node 20 in a clone without dependencies, hence plain JavaScript.
 */
import { ensureBaseImage } from './setup/base-image.mjs';
import { ensureBuild } from './setup/build.mjs';
import { ensureConsul } from './setup/consul.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { engineAnswers } from './setup/docker-host.mjs';
import { missingParts, requireMachine } from './setup/machine.mjs';
import { installPackages } from './setup/packages.mjs';
import { fail } from './setup/say.mjs';

/** The parts of the machine that each purpose needs; the names are those of machine.mjs. */
const NEEDS = {
  demo: ['docker', 'busybox', 'ip', 'iptables', 'dig'],
  consul: [],
  test: ['dockerd', 'tini', 'docker', 'busybox', 'ip', 'iptables', 'dig', 'debootstrap'],
  bench: ['dockerd', 'tini', 'docker', 'busybox', 'ip', 'iptables', 'dig'],
};

async function main(purpose) {
  if (!Object.hasOwn(NEEDS, purpose)) fail(`expected one of ${Object.keys(NEEDS).join(', ')}`);
  const needs = [...NEEDS[purpose]];
  if (purpose === 'demo' && !(await engineAnswers())) needs.unshift('dockerd', 'tini');
  const withConsul = purpose !== 'demo';

  // Everything that could refuse comes first: a refusal leaves the machine as it was.
  const missing = missingParts(needs);
  requireMachine(purpose, missing, withConsul);

  await installPackages(missing);
  if (withConsul) ensureConsul();
  if (purpose === 'consul') return;
  ensureDependencies();
  ensureBuild();
  if (purpose === 'test') ensureBaseImage();
}

main(process.argv[2] ?? '').catch((error) => fail(error.message));

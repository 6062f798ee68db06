/**
 * Set-up, run by npm before `demo`, `test`, `world`, `bench` and `pack`. Idempotent; prints one line for each step that
 * does something. It must run on the system's own Node 20 in a clone without dependencies, so it is plain JavaScript.
 */
import { ensureBaseImage } from './setup/base-image.mjs';
import { ensureBuild } from './setup/build.mjs';
import { ensureConsul } from './setup/consul.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { engineAnswers } from './setup/docker-host.mjs';
import { ensureEngines } from './setup/engines.mjs';
import { missingParts, requireMachine } from './setup/machine.mjs';
import { installPackages } from './setup/packages.mjs';
import { ensureResolverPackages } from './setup/resolver-packages.mjs';
import { fail } from './setup/say.mjs';

/** The parts of the machine that each purpose needs, as machine.mjs names them, and what is fetched or built for it. */
const LAB = ['dockerd', 'tini', 'docker', 'busybox', 'ip', 'iptables', 'dig'];
const PURPOSES = {
  demo: { parts: ['docker', 'busybox', 'ip', 'iptables', 'dig'], root: true, build: true },
  consul: { parts: [], root: false, consul: true },
  world: { parts: LAB, root: true, build: true },
  test: {
    parts: [
      ...LAB,
      'debootstrap',
      'curl',
      'openssl',
      'dnsmasq',
      'unbound',
      'kresd',
      'ssh',
      'sshd',
      'ifup',
      'nft',
      'networkctl',
    ],
    root: true,
    consul: true,
    build: true,
    baseImage: true,
    resolvers: true,
    engines: true,
  },
  bench: { parts: LAB, root: true, consul: true, build: true },
  'bench:attach': { parts: [...LAB, 'debootstrap'], root: true, build: true, baseImage: true },
  'bench:dns': {
    parts: ['dnsmasq', 'unbound', 'knotd', 'dnsperf', 'cc', 'taskset', 'dig'],
    root: false,
    consul: true,
    build: true,
  },
  pack: { parts: [], root: false, build: true },
  image: { parts: ['docker'], root: false, build: true },
};

async function main(purpose) {
  if (!Object.hasOwn(PURPOSES, purpose)) fail(`expected one of ${Object.keys(PURPOSES).join(', ')}`);
  const needs = PURPOSES[purpose];
  const needsEngine = purpose === 'demo' && !(await engineAnswers());
  const missing = missingParts(needsEngine ? LAB : needs.parts);

  // All checks come first: a refusal leaves the machine unchanged.
  requireMachine({ ...needs, purpose, missing });

  await installPackages(missing);
  if (needs.consul) ensureConsul();
  if (needs.resolvers) ensureResolverPackages();
  if (needs.engines) ensureEngines();
  if (needs.build) {
    ensureDependencies();
    ensureBuild();
  }
  if (needs.baseImage) ensureBaseImage();
}

main(process.argv[2] ?? '').catch((error) => fail(error.message));

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from './apt-source.mjs';
import { run } from './command.mjs';
import { cacheFolder } from './paths.mjs';
import { say } from './say.mjs';
import { unpackPackages } from './unpack.mjs';

/**
 * Where a current Docker engine comes from, the first suite that has one which runs here. The programs need little of
 * the C library; runc stays the system's, because newer ones need a newer libc.
 */
const DOCKER_SUITES = ['sid', 'trixie'];
const DOCKER_PACKAGES = [
  'docker.io',
  'docker-cli',
  'containerd',
  'docker-compose',
  'docker-buildx',
  'tini-static',
];

/** podman is this Debian's own, with what it needs besides a usual system. */
const PODMAN_SUITE = 'bookworm';
const PODMAN_PACKAGES = [
  'podman',
  'conmon',
  'netavark',
  'golang-github-containers-common',
  'golang-github-containers-image',
  'libassuan0',
  'libgpgme11',
  'libsubid4',
];

const dockerFolder = () => join(cacheFolder(), 'docker-current');
const podmanFolder = () => join(cacheFolder(), `podman-${PODMAN_SUITE}`);

/** The folder with the current Docker engine's `usr`; undefined before ensureEngines. */
export function findCurrentDocker() {
  return withProgram(dockerFolder(), 'usr/sbin/dockerd');
}

/** The folder with podman's `usr`; undefined before ensureEngines. */
export function findPodman() {
  return withProgram(podmanFolder(), 'usr/bin/podman');
}

function withProgram(folder, program) {
  return existsSync(join(folder, program)) ? folder : undefined;
}

/** Fetches both engines into the cache; nothing is installed. @throws Error of the last suite that was tried */
export function ensureEngines() {
  if (findCurrentDocker() === undefined) fetchCurrentDocker();
  if (findPodman() !== undefined) return;
  say(`fetching podman from ${debianMirror()} (${PODMAN_SUITE}) into ${podmanFolder()}`);
  unpackPackages({ suite: PODMAN_SUITE, packages: PODMAN_PACKAGES, folder: podmanFolder() });
}

function fetchCurrentDocker() {
  for (const [index, suite] of DOCKER_SUITES.entries()) {
    say(`fetching a current Docker engine from ${debianMirror()} (${suite}) into ${dockerFolder()}`);
    try {
      unpackPackages({ suite, packages: DOCKER_PACKAGES, folder: dockerFolder(), accept: runsHere });
      return;
    } catch (error) {
      if (index === DOCKER_SUITES.length - 1) throw error;
      say(`that of ${suite} is of no use here: ${error.message.split('\n')[0]}`);
    }
  }
}

/** A suite that moves on may come to need a newer libc than this system's. */
function runsHere(folder) {
  for (const program of ['usr/sbin/dockerd', 'usr/bin/docker', 'usr/bin/containerd']) {
    run(join(folder, program), ['--version']);
  }
}

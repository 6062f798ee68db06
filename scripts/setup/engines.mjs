import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from './apt-source.mjs';
import { run } from './command.mjs';
import { cacheFolder } from './paths.mjs';
import { say } from './say.mjs';
import { unpackPackages } from './unpack.mjs';

/**
 * Sources of a current Docker engine: the first suite whose engine runs here is used. The programs need little of the C
 * library. runc stays the system's, because newer versions need a newer libc.
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

/** podman of this Debian release, with its dependencies that a usual system lacks. */
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

/** Fetches both engines into the cache; nothing is installed. @throws Error of the last attempted suite */
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
      say(`the engine of ${suite} does not run here: ${error.message.split('\n')[0]}`);
    }
  }
}

/** Checks that the programs start: a later version in a suite may need a newer libc than this system's. */
function runsHere(folder) {
  for (const program of ['usr/sbin/dockerd', 'usr/bin/docker', 'usr/bin/containerd']) {
    run(join(folder, program), ['--version']);
  }
}

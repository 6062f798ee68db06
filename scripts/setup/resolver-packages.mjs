import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { cacheFolder } from './paths.mjs';
import { say } from './say.mjs';

/**
 * Debian's resolver packages, which tests unpack into simulated hosts: installed here, they would take over this
 * machine's /etc/resolv.conf. LIBRARIES are those that systemd-resolved needs and small systems lack.
 */
const PACKAGES = ['resolvconf', 'openresolv', 'systemd-resolved', 'dnsmasq'];
const LIBRARIES = ['libsystemd-shared', 'libip4tc2', 'libkmod2', 'libseccomp2'];

const folder = () => join(cacheFolder(), 'resolver-packages');

/** The files of this package and of the libraries. Empty before ensureResolverPackages. */
export function resolverPackages(name) {
  const wanted = [name, ...LIBRARIES].map((each) => `${each}_`);
  return packageFiles()
    .filter((file) => wanted.some((each) => file.startsWith(each)))
    .map((file) => join(folder(), file));
}

/** Whether all of them are in the cache. */
export function hasResolverPackages() {
  const files = packageFiles();
  return [...PACKAGES, ...LIBRARIES].every((name) => files.some((file) => file.startsWith(`${name}_`)));
}

function packageFiles() {
  try {
    return readdirSync(folder());
  } catch {
    return [];
  }
}

/** Downloads the packages into the cache, and installs nothing. */
export function ensureResolverPackages() {
  if (hasResolverPackages()) return;
  say(`fetching ${PACKAGES.join(', ')} from Debian into ${folder()} (nothing is installed)`);
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), 'resolver-work-'));
  try {
    // As root, apt would switch to the user _apt, which may not enter this folder, and print a warning.
    const args = ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...PACKAGES, ...LIBRARIES];
    try {
      run('apt-get', args, { cwd: work });
    } catch {
      run('apt-get', ['-q', 'update']);
      run('apt-get', args, { cwd: work });
    }
    rmSync(folder(), { recursive: true, force: true });
    renameSync(work, folder());
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

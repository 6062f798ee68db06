import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from './apt-source.mjs';
import { run } from './command.mjs';
import { osRelease } from './os-release.mjs';
import { cacheFolder, ROOT } from './paths.mjs';
import { say } from './say.mjs';

/** A replacement for the published base (node:24-slim), made from Debian's mirror and the npm package's Node. */
const INCLUDE = 'iptables,iproute2,ca-certificates';
const NODE = join(ROOT, 'node_modules/node/bin/node');
/** Not in the tar: an image does not need it. */
const UNNEEDED = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];

function recipe() {
  // The version in the lock file, which is known before Node is installed.
  const node = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages['node_modules/node']
    .version;
  return { suite: osRelease().VERSION_CODENAME, include: INCLUDE, unneeded: UNNEEDED, node };
}

/** The tar of the base image for tests; its name contains a hash of the recipe. */
export function baseImageTar() {
  const key = createHash('sha256').update(JSON.stringify(recipe())).digest('hex').slice(0, 12);
  return join(cacheFolder(), `base-${key}.tar`);
}

/** Makes that tar if it is not in the cache yet: about 30 s. */
export function ensureBaseImage() {
  const tar = baseImageTar();
  if (existsSync(tar)) return;
  const { suite } = recipe();
  const mirror = debianMirror(suite);
  if (mirror === undefined)
    throw new Error(`the apt sources of this machine name no Debian mirror for ${suite}`);
  say(`making the base image of the tests with debootstrap (${suite}, about 30 s)`);
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), 'base-work-'));
  try {
    const root = join(work, 'root');
    // In a mount namespace of its own: debootstrap's mounts end with it, even after a failure.
    run('unshare', [
      '--mount',
      'debootstrap',
      '--variant=minbase',
      `--include=${INCLUDE}`,
      suite,
      root,
      mirror,
    ]);
    copyFileSync(NODE, join(root, 'usr/local/bin/node'));
    const excluded = UNNEEDED.map((path) => `--exclude=./${path}/*`);
    run('tar', ['-C', root, '--numeric-owner', ...excluded, '-cf', join(work, 'base.tar'), '.']);
    renameSync(join(work, 'base.tar'), tar);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

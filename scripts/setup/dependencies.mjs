import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { ROOT } from './paths.mjs';
import { say } from './say.mjs';

/** npm's own record of the installed modules. */
const INSTALLED = join(ROOT, 'node_modules/.package-lock.json');
const NODE = join(ROOT, 'node_modules/node/bin/node');

/** Installs the locked npm packages if node_modules differs from the lock file, and checks that Node 24 is there. */
export function ensureDependencies() {
  if (!isUpToDate()) {
    say('installing npm packages (npm ci)');
    // Within `npm pack --dry-run`, npm would only print what it would install.
    const { npm_config_dry_run: _, ...env } = process.env;
    run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: ROOT, env });
  }
  // With `ignore-scripts`, the installation succeeds without this binary, and everything would run on the old Node.
  const version = existsSync(NODE) ? spawnSync(NODE, ['--version'], { encoding: 'utf8' }).stdout : '';
  if (version.startsWith('v24.')) return;
  throw new Error(
    `the npm package "node" has installed no Node 24 binary (${NODE} ${version.trim() || 'does not run'}): ` +
      'its install script has not run. Allow it (npm config set ignore-scripts false), remove node_modules, try again',
  );
}

function isUpToDate() {
  if (!existsSync(INSTALLED) || !existsSync(NODE)) return false;
  const wanted = packagesOf(join(ROOT, 'package-lock.json'));
  const there = packagesOf(INSTALLED);
  // Optional packages are for other platforms: they may be missing, but not have another version.
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      path === '' || link || there[path]?.version === version || (optional && there[path] === undefined),
  );
}

function packagesOf(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
}

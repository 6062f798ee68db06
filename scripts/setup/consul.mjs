import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror, KEYRING } from './apt-source.mjs';
import { run, which } from './command.mjs';
import { cacheFolder } from './paths.mjs';
import { say } from './say.mjs';

/** Bullseye is the last Debian release with a `consul` package (1.8.7). */
const SUITE = 'bullseye';

function folder() {
  return join(cacheFolder(), `consul-${SUITE}`);
}

/** The `consul` to use: that on PATH, else the one in the cache. Undefined before ensureConsul. */
export function findConsul() {
  const cached = join(folder(), 'usr/bin/consul');
  return which('consul') ?? (existsSync(cached) ? cached : undefined);
}

/** Fetches Debian's Consul into the cache. Nothing of the system's apt is touched: lists and downloads lie apart. */
export function ensureConsul() {
  if (findConsul() !== undefined) return;
  const mirror = debianMirror();
  say(`fetching Consul from ${mirror} (${SUITE}) into ${folder()}`);
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), 'consul-work-'));
  try {
    const apt = privateApt(work, `deb [signed-by=${KEYRING}] ${mirror} ${SUITE} main\n`);
    run('apt-get', [...apt, 'update'], { cwd: work });
    run('apt-get', [...apt, 'download', 'consul'], { cwd: work });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    run('dpkg-deb', ['-x', archive, 'root'], { cwd: work });
    rmSync(folder(), { recursive: true, force: true });
    renameSync(join(work, 'root'), folder());
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** apt's options for a list of sources, index files and a download folder of their own. */
function privateApt(work, source) {
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  mkdirSync(join(work, 'archives/partial'), { recursive: true });
  writeFileSync(join(work, 'sources.list'), source);
  const settings = {
    'Dir::Etc::SourceList': join(work, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': work,
    'Dir::Cache::Archives': join(work, 'archives'),
    // As root apt would drop to _apt, which may not enter this folder, and warn about it.
    'APT::Sandbox::User': 'root',
  };
  return ['-q', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
}

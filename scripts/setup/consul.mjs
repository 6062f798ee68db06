import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from './apt-source.mjs';
import { which } from './command.mjs';
import { cacheFolder } from './paths.mjs';
import { say } from './say.mjs';
import { unpackPackages } from './unpack.mjs';

/** Bullseye is the last Debian release with a `consul` package (1.8.7). */
const SUITE = 'bullseye';

function folder() {
  return join(cacheFolder(), `consul-${SUITE}`);
}

/** The `consul` to use: the one on PATH, else the one in the cache. Undefined before ensureConsul. */
export function findConsul() {
  const cached = join(folder(), 'usr/bin/consul');
  return which('consul') ?? (existsSync(cached) ? cached : undefined);
}

/** Fetches Debian's Consul into the cache; nothing is installed. */
export function ensureConsul() {
  if (findConsul() !== undefined) return;
  say(`fetching Consul from ${debianMirror()} (${SUITE}) into ${folder()}`);
  unpackPackages({ suite: SUITE, packages: ['consul'], folder: folder() });
}

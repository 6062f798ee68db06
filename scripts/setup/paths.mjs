import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The folder for downloads: HEDDLE_CACHE, else the XDG folder. It is outside the clone, so that clones share it. */
export function cacheFolder() {
  const { HEDDLE_CACHE, XDG_CACHE_HOME } = process.env;
  return HEDDLE_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'heddle');
}

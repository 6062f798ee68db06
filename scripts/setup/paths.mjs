import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Where downloads live, outside the clone, so that a second clone finds them: HEDDLE_CACHE, else the XDG folder. */
export function cacheFolder() {
  const { HEDDLE_CACHE, XDG_CACHE_HOME } = process.env;
  return HEDDLE_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'heddle');
}

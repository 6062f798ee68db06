/** The `consul` to use: that on PATH, else the one in the cache. Undefined before ensureConsul. */
export function findConsul(): string | undefined;

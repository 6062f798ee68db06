/** Caches the result of `read` for `ms` milliseconds, for many concurrent callers. A failure is not cached. */
export function cachedFor<T>(ms: number, read: () => T): () => T {
  let cached: { readonly value: T; readonly readAt: number } | undefined;
  return () => {
    const now = performance.now();
    if (cached !== undefined && now - cached.readAt < ms) return cached.value;
    const own = { value: read(), readAt: now };
    cached = own;
    if (own.value instanceof Promise) {
      own.value.catch(() => {
        if (cached === own) cached = undefined;
      });
    }
    return own.value;
  };
}

/**
 * What many ask for at once, read once in so many milliseconds. What fails is kept for nobody: whoever asks next has it
 * read anew.
 */
export function keptFor<T>(ms: number, read: () => T): () => T {
  let kept: { readonly value: T; readonly readAt: number } | undefined;
  return () => {
    const now = performance.now();
    if (kept !== undefined && now - kept.readAt < ms) return kept.value;
    const own = { value: read(), readAt: now };
    kept = own;
    if (own.value instanceof Promise) {
      own.value.catch(() => {
        if (kept === own) kept = undefined;
      });
    }
    return own.value;
  };
}

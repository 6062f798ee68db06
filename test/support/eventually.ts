import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats the check until it no longer throws, and returns its result. Five seconds is the time within which
 * everything must be right again by itself.
 * @throws the check's last error when the time is over
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { within = 5000, every = 50 }: { readonly within?: number; readonly every?: number } = {},
): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(every);
    }
  }
}

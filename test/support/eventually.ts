import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again until the check no longer throws, and returns what it returned. Five seconds is the time in which
 * everything here must come right by itself.
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

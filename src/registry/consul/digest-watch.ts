import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Watching } from '../registry.ts';

export interface WatchNeeds {
  /** What is held of ours, in short; throws while it cannot be asked. */
  digest(signal: AbortSignal): Promise<string>;
  /** How many writes were taken from us. */
  writes(): number;
}

/**
 * Looks every so often, and calls back for whatever is not as it was: an agent's own services have no index to wait
 * on, and the catalog's goes back when its data is lost. After writes of ours it calls in any case, because a wipe
 * right after them would look just like the time before them.
 */
export function watchDigest(needs: WatchNeeds, every: number, changed: () => void): Watching {
  const stopping = new AbortController();
  void look(needs, every, changed, stopping.signal);
  return { stop: () => stopping.abort() };
}

async function look(
  needs: WatchNeeds,
  every: number,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  let before: { writes: number; digest: string } | undefined;
  while (!signal.aborted) {
    const now = { writes: needs.writes(), digest: await needs.digest(signal).catch(() => 'away') };
    if (before !== undefined && !signal.aborted && !isDeepStrictEqual(now, before)) changed();
    before = now;
    await delay(every, undefined, { signal }).catch(() => undefined);
  }
}

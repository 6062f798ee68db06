import { isDeepStrictEqual } from 'node:util';
import { pause } from '../../runtime/pause.ts';
import type { Watching } from '../registry.ts';

export interface WatchNeeds {
  /** A digest of our services in the registry; throws while the registry does not answer. */
  digest(signal: AbortSignal): Promise<string>;
  /** Number of our writes that the registry accepted. */
  writes(): number;
}

/**
 * Polls the digest and calls back when it changed: an agent's own services have no index to block on, and the catalog's
 * index goes back when its data is lost. Calls back after our own writes in any case, because a wipe right after them
 * restores the digest from before them.
 */
export function watchDigest(needs: WatchNeeds, every: number, changed: () => void): Watching {
  const stopping = new AbortController();
  void poll(needs, every, changed, stopping.signal);
  return { stop: () => stopping.abort() };
}

async function poll(
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
    await pause(every, signal);
  }
}

import { type Backoff, backoff } from '../../runtime/backoff.ts';
import { pause } from '../../runtime/pause.ts';
import type { Indexed } from '../registry.ts';

/** Callbacks of a blocking query. */
export interface IndexCallbacks<T> {
  /** Called with the first answer and with every change. */
  changed(value: T): void;
  /** Called when the registry does not answer. */
  lost(): void;
  /** Called after every query, answered or failed. */
  polled?(): void;
}

/** Waits after failures, doubled up to the longest: a registry that is back is noticed within 5 s. */
const RETRY: Backoff = { first: 500, longest: 3000 };

/**
 * Repeats a blocking query until the signal aborts: each query waits for a change after the last answer.
 * @param paceMs pause between two queries: a result that changes all the time must not take all our time
 */
export async function followIndex<T>(
  ask: (index: number) => Promise<Indexed<T>>,
  callbacks: IndexCallbacks<T>,
  { paceMs, signal }: { readonly paceMs: number; readonly signal: AbortSignal },
): Promise<void> {
  let [index, failures] = [0, 0];
  while (!signal.aborted) {
    try {
      const now = await ask(index);
      if (signal.aborted) return;
      if (now.index !== index) callbacks.changed(now.value);
      // The index goes back when data is lost; a query with an index above the current one would wait in vain.
      index = now.index < index ? 0 : now.index;
      failures = 0;
    } catch {
      if (signal.aborted) return;
      callbacks.lost();
      index = 0;
      failures += 1;
    }
    callbacks.polled?.();
    await pause(failures === 0 ? paceMs : backoff(failures, RETRY), signal);
  }
}

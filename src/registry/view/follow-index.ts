import { setTimeout as delay } from 'node:timers/promises';
import { type Backoff, waitAfter } from '../../runtime/backoff.ts';
import type { Moved } from '../registry.ts';

/** What is told of something that moves. */
export interface IndexCallbacks<T> {
  /** At once, and whenever it is something else. */
  changed(value: T): void;
  /** Nobody answers. */
  lost(): void;
  /** After every question, answered or not. */
  asked?(): void;
}

/** While nobody answers: doubled up to the most, so that a registry that returns is known again within 5 s. */
const RETRY: Backoff = { first: 500, longest: 3000 };

/**
 * Waits on something that moves until it is told to stop: each question waits for what comes after the answer before.
 * @param paceMs between two questions: what changes all the time must not keep us busy with it alone
 */
export async function followIndex<T>(
  ask: (index: number) => Promise<Moved<T>>,
  heard: IndexCallbacks<T>,
  { paceMs, signal }: { readonly paceMs: number; readonly signal: AbortSignal },
): Promise<void> {
  let [index, failures] = [0, 0];
  while (!signal.aborted) {
    try {
      const now = await ask(index);
      if (signal.aborted) return;
      if (now.index !== index) heard.changed(now.value);
      // It goes back when data was lost; a question for more than there is would wait in vain.
      index = now.index < index ? 0 : now.index;
      failures = 0;
    } catch {
      if (signal.aborted) return;
      heard.lost();
      index = 0;
      failures += 1;
    }
    heard.asked?.();
    await delay(failures === 0 ? paceMs : waitAfter(failures, RETRY), undefined, { signal }).catch(
      () => undefined,
    );
  }
}

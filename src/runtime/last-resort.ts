import { messageOf, systemCode } from '../errors.ts';
import type { Logger } from './log.ts';

export interface LastResortNeeds {
  readonly log: Logger;
  /** Has everything looked at anew: what failed half-way may have left a part out of step. */
  heal(): void;
  /** Where the failures come from; default this process. */
  readonly source?: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
}

/** A failure in a loop must neither fill a log nor keep everything being looked at anew. */
const LOGGED_A_MINUTE = 10;
const MINUTE_MS = 60_000;
const HEAL_AFTER_MS = 1_000;
const HEAL_EVERY_MS = 60_000;

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * What nothing else has caught is logged with its code, and the process goes on: names are answered from tables that no
 * failure elsewhere can have changed half-way, and all else is derived anew.
 */
export function surviveFailures({ log, heal, source = process }: LastResortNeeds): { stop(): void } {
  let [since, count] = [performance.now(), 0];
  let healing: NodeJS.Timeout | undefined;
  let healedAt = Number.NEGATIVE_INFINITY;
  const caught = (error: unknown): void => {
    const now = performance.now();
    if (now - since > MINUTE_MS) [since, count] = [now, 0];
    count += 1;
    if (count <= LOGGED_A_MINUTE) {
      const stack = error instanceof Error ? error.stack : undefined;
      const more = count === LOGGED_A_MINUTE ? '; no more of them are logged for a minute' : '';
      log.error(
        { code: systemCode(error), error: messageOf(error), stack },
        `unexpected failure: heddle goes on and looks at everything anew; please report it${more}`,
      );
    }
    const wait = Math.max(HEAL_AFTER_MS, healedAt + HEAL_EVERY_MS - now);
    healing ??= setTimeout(() => {
      healing = undefined;
      healedAt = performance.now();
      heal();
    }, wait).unref();
  };
  for (const event of EVENTS) source.on(event, caught);
  return {
    stop: () => {
      clearTimeout(healing);
      for (const event of EVENTS) source.off(event, caught);
    },
  };
}

/** A log that is full, or whose reader has left, is no reason to end: what cannot be written is lost. */
export function surviveOutput(streams: readonly NodeJS.EventEmitter[]): void {
  for (const stream of streams) stream.removeAllListeners('error').on('error', () => {});
}

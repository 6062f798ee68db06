import { messageOf, systemCode } from '../errors.ts';
import type { Logger } from './log.ts';

export interface LastResortNeeds {
  readonly log: Logger;
  /** Starts a full scan: a failure half-way may have left one part inconsistent with the others. */
  rescan(): void;
  /** The emitter of the failures; default: this process. */
  readonly source?: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
}

/** Bounds for a failure in a loop: it must neither fill the log nor cause permanent full scans. */
const LOGGED_A_MINUTE = 10;
const MINUTE_MS = 60_000;
const RESCAN_AFTER_MS = 1_000;
const RESCAN_EVERY_MS = 60_000;

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Logs each uncaught failure with its code and keeps the process running. This is safe: names are answered from tables
 * that no failure elsewhere can leave half-changed, and a full scan derives everything else again.
 */
export function surviveFailures({ log, rescan, source = process }: LastResortNeeds): { stop(): void } {
  let [since, count] = [performance.now(), 0];
  let rescanTimer: NodeJS.Timeout | undefined;
  let rescannedAt = Number.NEGATIVE_INFINITY;
  const caught = (error: unknown): void => {
    const now = performance.now();
    if (now - since > MINUTE_MS) [since, count] = [now, 0];
    count += 1;
    if (count <= LOGGED_A_MINUTE) {
      const stack = error instanceof Error ? error.stack : undefined;
      const more = count === LOGGED_A_MINUTE ? '; further failures are not logged for a minute' : '';
      log.error(
        { code: systemCode(error), error: messageOf(error), stack },
        `unexpected failure: heddle keeps running and scans all containers again; please report it${more}`,
      );
    }
    const wait = Math.max(RESCAN_AFTER_MS, rescannedAt + RESCAN_EVERY_MS - now);
    rescanTimer ??= setTimeout(() => {
      rescanTimer = undefined;
      rescannedAt = performance.now();
      rescan();
    }, wait).unref();
  };
  for (const event of EVENTS) source.on(event, caught);
  return {
    stop: () => {
      clearTimeout(rescanTimer);
      for (const event of EVENTS) source.off(event, caught);
    },
  };
}

/** Ignores write errors (disk full, reader gone): the daemon keeps running and loses the output. */
export function surviveOutput(streams: readonly NodeJS.EventEmitter[]): void {
  for (const stream of streams) stream.removeAllListeners('error').on('error', () => {});
}

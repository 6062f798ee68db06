import { type Finding, ok } from './finding.ts';

/** Times of events and certificates are compared across processes. A smaller difference has no effect. */
const TOLERATED_MS = 5_000;

/**
 * @param whose `the Docker engine's`
 * @param time the other clock's time, RFC 3339 or RFC 9110, read at `now`
 * @param now this host's time in milliseconds since 1970
 */
export function findClock(subject: string, whose: string, time: string, now: number): Finding {
  const theirs = Date.parse(time);
  if (Number.isNaN(theirs)) {
    return { subject, state: 'unknown', detail: `${whose} time is unknown`, advice: '' };
  }
  const seconds = Math.abs(theirs - now) / 1000;
  if (seconds * 1000 <= TOLERATED_MS) return ok(subject, `agrees with ${whose}`);
  return {
    subject,
    state: 'warning',
    detail: `${seconds.toFixed(0)} s away from ${whose}`,
    advice: 'events may be missed, and certificates rejected: synchronise both hosts by NTP',
  };
}

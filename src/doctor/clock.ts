import { type Finding, ok } from './finding.ts';

/** Times of events, and of certificates, are compared across processes; less is never noticed. */
const TOLERATED_MS = 5_000;

/** @param engine the engine's own time, RFC 3339, as it was when we had `now` (milliseconds since 1970) */
export function findClock(engine: string, now: number): Finding {
  const subject = 'clock';
  const theirs = Date.parse(engine);
  if (Number.isNaN(theirs)) {
    return { subject, state: 'unknown', detail: 'the Docker engine does not tell its time', advice: '' };
  }
  const seconds = Math.abs(theirs - now) / 1000;
  if (seconds * 1000 <= TOLERATED_MS) return ok(subject, "agrees with the Docker engine's");
  return {
    subject,
    state: 'warning',
    detail: `${seconds.toFixed(0)} s away from the Docker engine's`,
    advice: 'events may be missed, and certificates refused: synchronise both hosts by NTP',
  };
}

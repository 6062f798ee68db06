import type { Snapshot } from '../docker/snapshot.ts';

/** Set in the status of a process that a signal ended. */
const SIGNALLED = 128;

/**
 * True where a container ended by itself with an error: what registrator's `-deregister on-success` keeps. While its
 * status is not known yet, it may have.
 */
export function mayHaveFailed({ running, paused, pid, exitCode }: Snapshot): boolean {
  if (running || paused || pid > 0) return false;
  return exitCode === null || (exitCode !== 0 && (exitCode & SIGNALLED) === 0);
}

import type { Snapshot } from '../docker/snapshot.ts';

/** This bit is set in the exit status of a process that was killed by a signal. */
const SIGNALLED = 128;

/**
 * True if a container exited by itself with an error: registrator's `-deregister on-success` keeps its services. True as
 * well while the exit status is unknown.
 */
export function mayHaveFailed({ running, paused, pid, exitCode }: Snapshot): boolean {
  if (running || paused || pid > 0) return false;
  return exitCode === null || (exitCode !== 0 && (exitCode & SIGNALLED) === 0);
}

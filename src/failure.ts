import { HeddleError, messageOf } from './errors.ts';
import type { Io } from './io.ts';

/** One sentence on stderr for whatever was thrown. @returns the exit status */
export function tellFailure(error: unknown, io: Pick<Io, 'stderr'>): number {
  if (error instanceof HeddleError) {
    io.stderr.write(`heddle: ${error.message}\n`);
    return error.exitStatus;
  }
  io.stderr.write(`heddle: unexpected failure: ${error instanceof Error ? error.stack : messageOf(error)}\n`);
  return 1;
}

import { HeddleError, messageOf } from '../errors.ts';
import type { Io } from './io.ts';
import { printable, printableLines } from './printable.ts';

/** Reports any thrown value on stderr. @returns the exit status */
export function reportFailure(error: unknown, io: Pick<Io, 'stderr'>): number {
  if (error instanceof HeddleError) {
    io.stderr.write(`heddle: ${printable(error.message)}\n`);
    return error.exitStatus;
  }
  const what = (error instanceof Error ? error.stack : undefined) ?? messageOf(error);
  io.stderr.write(`heddle: unexpected failure: ${printableLines(what)}\n`);
  return 1;
}

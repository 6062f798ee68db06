import { HeddleError } from '../../errors.ts';

/**
 * An error for a query without an answer from an upstream server. There may be thousands a second, and collecting a
 * stack, which is of no use here, takes longer than everything else. So it has none.
 */
export function unanswered(why: string): HeddleError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new HeddleError('unreachable', why);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

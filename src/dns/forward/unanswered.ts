import { HeddleError } from '../../errors.ts';

/**
 * Why a question has no answer from another server. There may be thousands a second of them, and a stack, which says
 * nothing to anybody here, takes longer to collect than all else.
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

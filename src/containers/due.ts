import type { Snapshot } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import { parseAssignable } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** Set by `heddle run`: the addresses the container gets, at every start. */
export const CIDR_LABEL = 'heddle.cidr';
/** The weave proxy's word, in a container's environment or labels. */
const WEAVE_CIDR = 'WEAVE_CIDR';

export interface Due {
  readonly cidrs: readonly Cidr[];
  /** What is wrong with the container's own words, if anything. */
  readonly problem: string | undefined;
}

const NOTHING_DUE: Due = { cidrs: [], problem: undefined };

/**
 * The addresses a container asks for in its own metadata: CIDRs separated by spaces or commas, or `none`. What
 * cannot be understood is reported and attaches nothing: a label is untrusted input.
 */
export function dueAddresses(snapshot: Snapshot): Due {
  const key = snapshot.metadata.has(CIDR_LABEL) ? CIDR_LABEL : WEAVE_CIDR;
  const words = (snapshot.metadata.get(key) ?? '').split(/[\s,]+/).filter(Boolean);
  if (words.length === 0 || words.includes('none')) return NOTHING_DUE;
  try {
    return { cidrs: words.map(parseAssignable), problem: undefined };
  } catch (error) {
    if (error instanceof HeddleError) return { cidrs: [], problem: `${key}: ${error.message}` };
    throw error;
  }
}

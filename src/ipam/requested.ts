import type { Snapshot } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import type { Cidr } from '../network/engine.ts';
import { MOST_ADDRESSES } from './grant.ts';
import { type AddressRequest, parseRequest } from './request.ts';

/** Set by `heddle run`: the addresses the container gets, at every start. */
export const CIDR_LABEL = 'heddle.cidr';
/** The weave proxy's word, in a container's environment or labels. */
const WEAVE_CIDR = 'WEAVE_CIDR';

export interface RequestedAddresses {
  readonly requests: readonly AddressRequest[];
  /** What is wrong with the container's own words, if anything. */
  readonly problem: string | undefined;
}

/** Enough to see that there are too many; the first may be empty. */
const WORDS_READ = MOST_ADDRESSES + 2;

const NOTHING_DUE: RequestedAddresses = { requests: [], problem: undefined };

/** The words for addresses in a container's metadata, and the key that has them; undefined where there is none. */
export function addressWords(
  metadata: ReadonlyMap<string, string>,
): { readonly key: string; readonly words: readonly string[] } | undefined {
  const key = [CIDR_LABEL, WEAVE_CIDR].find((name) => metadata.has(name));
  if (key === undefined) return undefined;
  return { key, words: (metadata.get(key) as string).split(/[\s,]+/, WORDS_READ).filter(Boolean) };
}

/**
 * The addresses a container asks for in its own metadata: CIDRs and weave's other words, separated by spaces or
 * commas, or `none`. What cannot be understood is reported and attaches nothing: a label is untrusted input.
 */
export function requestedAddresses(snapshot: Pick<Snapshot, 'metadata'>): RequestedAddresses {
  const { key, words } = addressWords(snapshot.metadata) ?? { key: CIDR_LABEL, words: [] };
  if (words.length === 0 || words.includes('none')) return NOTHING_DUE;
  if (words.length > MOST_ADDRESSES) {
    return { requests: [], problem: `${key}: asks for more than ${MOST_ADDRESSES} addresses and gets none` };
  }
  try {
    return { requests: words.map(parseRequest), problem: undefined };
  } catch (error) {
    if (error instanceof HeddleError) return { requests: [], problem: `${key}: ${error.message}` };
    throw error;
  }
}

/**
 * Why a container has none of the addresses that its metadata asks for, where it was detached: what was taken away by
 * hand is not given back by a label.
 */
export function detachedNote(
  { metadata, name }: Pick<Snapshot, 'metadata' | 'name'>,
  claimed: readonly Cidr[] | undefined,
): string | undefined {
  if (claimed?.length !== 0 || requestedAddresses({ metadata }).requests.length === 0) return undefined;
  const { key, words } = addressWords(metadata) ?? { key: CIDR_LABEL, words: [] };
  const asked = words.join(' ');
  return `${key} asks for ${asked}, which detach or reset took away: heddle attach ${asked} ${name} gives it back`;
}

/** Those of the requests that name an address. */
export const namedAddresses = (requests: readonly AddressRequest[]): readonly Cidr[] =>
  requests.flatMap((request) => (request.kind === 'exact' ? [request.cidr] : []));

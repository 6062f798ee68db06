import type { Snapshot } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import type { Cidr } from '../network/engine.ts';
import { MOST_ADDRESSES } from './grant.ts';
import { type AddressRequest, parseRequest } from './request.ts';

/** Set by `heddle run`: the addresses the container gets, at every start. */
export const CIDR_LABEL = 'heddle.cidr';
/** The weave proxy's variable or label for the same. */
const WEAVE_CIDR = 'WEAVE_CIDR';

export interface RequestedAddresses {
  readonly requests: readonly AddressRequest[];
  /** What is wrong with the request in its metadata, if anything. */
  readonly problem: string | undefined;
}

/** Enough to detect that there are too many; the first may be empty. */
const MOST_READ = MOST_ADDRESSES + 2;

const NOTHING_REQUESTED: RequestedAddresses = { requests: [], problem: undefined };

/** The address requests in a container's metadata, not parsed, and their key; undefined where there is none. */
export function addressTexts(
  metadata: ReadonlyMap<string, string>,
): { readonly key: string; readonly texts: readonly string[] } | undefined {
  const key = [CIDR_LABEL, WEAVE_CIDR].find((name) => metadata.has(name));
  if (key === undefined) return undefined;
  return { key, texts: (metadata.get(key) as string).split(/[\s,]+/, MOST_READ).filter(Boolean) };
}

/**
 * The addresses that a container requests in its metadata: requests in weave's syntax, separated by spaces or commas, or
 * `none`. A label is untrusted input: one that cannot be parsed is reported, and nothing is attached.
 */
export function requestedAddresses(snapshot: Pick<Snapshot, 'metadata'>): RequestedAddresses {
  const { key, texts } = addressTexts(snapshot.metadata) ?? { key: CIDR_LABEL, texts: [] };
  if (texts.length === 0 || texts.includes('none')) return NOTHING_REQUESTED;
  if (texts.length > MOST_ADDRESSES) {
    return { requests: [], problem: `${key}: requests more than ${MOST_ADDRESSES} addresses and gets none` };
  }
  try {
    return { requests: texts.map(parseRequest), problem: undefined };
  } catch (error) {
    if (error instanceof HeddleError) return { requests: [], problem: `${key}: ${error.message}` };
    throw error;
  }
}

/**
 * Why a container that was detached has none of the addresses that its metadata requests: a label does not assign again
 * what a command took away.
 */
export function detachedNote(
  { metadata, name }: Pick<Snapshot, 'metadata' | 'name'>,
  claimed: readonly Cidr[] | undefined,
): string | undefined {
  if (claimed?.length !== 0 || requestedAddresses({ metadata }).requests.length === 0) return undefined;
  const { key, texts } = addressTexts(metadata) ?? { key: CIDR_LABEL, texts: [] };
  const requested = texts.join(' ');
  return `${key} requests ${requested}, which detach or reset took away: assign it again with heddle attach ${requested} ${name}`;
}

/** The addresses of those requests that name one. */
export const namedAddresses = (requests: readonly AddressRequest[]): readonly Cidr[] =>
  requests.flatMap((request) => (request.kind === 'exact' ? [request.cidr] : []));

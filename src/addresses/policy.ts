import { HeddleError } from '../errors.ts';
import { formatCidr, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** One term of the address policy; `text` is its canonical form. */
export type PolicyTerm =
  | { readonly kind: 'ethwe' | 'bridge' | 'internal' | 'published'; readonly text: string }
  | { readonly kind: 'iface' | 'network'; readonly text: string; readonly name: string }
  | { readonly kind: 'cidr'; readonly text: string; readonly network: Cidr };

/** How the address of a service is chosen, and whether other hosts read it. */
export interface AnnouncementPolicy {
  readonly policy: readonly PolicyTerm[];
  /** True if other hosts read the announced addresses. */
  readonly isShared: boolean;
}

const TERMS = 'ethwe, bridge, internal, published, iface:NAME, network:NAME, cidr:10.2.0.0/16';

/**
 * Parses an ordered list of terms, separated by commas: `ethwe,cidr:10.2.0.0/16,published`.
 * @throws HeddleError `bad-input` with the invalid term and all valid ones
 */
export function parsePolicy(text: string): readonly PolicyTerm[] {
  return text.split(',').map((term) => parseTerm(term.trim()));
}

/** Consul's users are on other hosts, which reach only weave addresses and published ports. */
export const DEFAULT_POLICY_CONSUL = parsePolicy('ethwe,bridge,published');
/** Only this host queries the names, and it reaches every address of its containers. */
export const DEFAULT_POLICY_EMBEDDED = parsePolicy('ethwe,bridge,internal');

function parseTerm(text: string): PolicyTerm {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const value = colon < 0 ? undefined : text.slice(colon + 1);
  switch (kind) {
    case 'ethwe':
    case 'bridge':
    case 'internal':
    case 'published':
      if (value !== undefined) throw invalidTerm(text, `${kind} takes no value`);
      return { kind, text };
    case 'iface':
      // linux/if.h: at most 15 characters, no slash, no white space
      if (!/^[^\s/:]{1,15}$/.test(value ?? ''))
        throw invalidTerm(text, 'iface: needs the name of an interface');
      return { kind, text, name: value as string };
    case 'network':
      if (!/^[A-Za-z0-9][\w.-]{0,254}$/.test(value ?? '')) {
        throw invalidTerm(text, 'network: needs the name of a Docker network');
      }
      return { kind, text, name: value as string };
    case 'cidr': {
      const network = networkOf(parseCidr(value ?? ''));
      return { kind, text: `cidr:${formatCidr(network)}`, network };
    }
    default:
      throw invalidTerm(text, 'unknown term');
  }
}

const invalidTerm = (term: string, why: string): HeddleError =>
  new HeddleError('bad-input', `address policy: ${JSON.stringify(term)}: ${why}; expected ${TERMS}`);

import { HeddleError } from '../errors.ts';
import { formatCidr, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** One word of the address policy; `text` is its canonical form. */
export type PolicyTerm =
  | { readonly kind: 'ethwe' | 'bridge' | 'internal' | 'published'; readonly text: string }
  | { readonly kind: 'iface' | 'network'; readonly text: string; readonly name: string }
  | { readonly kind: 'cidr'; readonly text: string; readonly network: Cidr };

/** How the address of a service is chosen, and who reads it. */
export interface AnnouncementPolicy {
  readonly policy: readonly PolicyTerm[];
  /** True where other hosts read what is announced. */
  readonly isShared: boolean;
}

const TERMS = 'ethwe, bridge, internal, published, iface:NAME, network:NAME, cidr:10.2.0.0/16';

/**
 * Reads an ordered list of words, separated by commas: `ethwe,cidr:10.2.0.0/16,published`.
 * @throws HeddleError `bad-input` naming the word that is wrong, and all there are
 */
export function parsePolicy(text: string): readonly PolicyTerm[] {
  return text.split(',').map((word) => parseTerm(word.trim()));
}

/** What only the weave network, and ports that are published, make reachable from other hosts. */
export const DEFAULT_POLICY_CONSUL = parsePolicy('ethwe,bridge,published');
/** Names are asked on this host alone, which reaches every address of its containers. */
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
      // linux/if.h: at most 15 characters, no slash, no blank
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
      throw invalidTerm(text, 'there is no such word');
  }
}

const invalidTerm = (word: string, why: string): HeddleError =>
  new HeddleError('bad-input', `address policy: ${JSON.stringify(word)}: ${why}; expected ${TERMS}`);

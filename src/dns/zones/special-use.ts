import { emptyReply, type Question, type Reply, type ResourceRecord, type Zone } from '../zone.ts';

/** What a special name stands for: this very machine, or nothing at all. */
type Meaning = 'loopback' | 'nothing';

/** Names that mean the same everywhere, and that no server is asked for (RFC 6761 §6.3 and §6.4, RFC 7686 §2). */
export const SPECIAL_NAMES: Readonly<Record<string, Meaning>> = {
  localhost: 'loopback',
  invalid: 'nothing',
  onion: 'nothing',
};

/**
 * Reverse names of addresses that mean something else at every server, or nothing (RFC 6303 §4): this host and this
 * network, loopback, links, broadcast and the unspecified address.
 */
export const SPECIAL_REVERSE_NAMES: Readonly<Record<string, Meaning>> = {
  '127.in-addr.arpa': 'loopback',
  [`1.${'0.'.repeat(31)}ip6.arpa`]: 'loopback',
  '0.in-addr.arpa': 'nothing',
  '254.169.in-addr.arpa': 'nothing',
  '255.255.255.255.in-addr.arpa': 'nothing',
  [`${'0.'.repeat(32)}ip6.arpa`]: 'nothing',
  '8.e.f.ip6.arpa': 'nothing',
  '9.e.f.ip6.arpa': 'nothing',
  'a.e.f.ip6.arpa': 'nothing',
  'b.e.f.ip6.arpa': 'nothing',
};

/** The names that loopback addresses have: 127.0.0.1 and ::1. */
const LOOPBACK_POINTERS: ReadonlySet<string> = new Set([
  '1.0.0.127.in-addr.arpa',
  `1.${'0.'.repeat(31)}ip6.arpa`,
]);

/** Seconds; what unbound and BIND give: they never change. */
const TTL = 10_800;

export interface SpecialUseNeeds {
  /** Whether the operator has named servers for a name: a resolver of onion names, say. Never asked for localhost. */
  readonly isRouted?: (name: string) => boolean;
}

/** Answers names of special use itself: what a stub asks by mistake must not leave this host. */
export class SpecialUseZone implements Zone {
  readonly name = 'special-use';
  readonly #meanings: Readonly<Record<string, Meaning>>;
  readonly #isRouted: (name: string) => boolean;

  constructor(meanings: Readonly<Record<string, Meaning>>, { isRouted = () => false }: SpecialUseNeeds = {}) {
    this.#meanings = meanings;
    this.#isRouted = isRouted;
  }

  resolve({ name, labels, asked, type }: Question): Reply | undefined {
    const top = this.#topOf(labels);
    const meaning = top && this.#meanings[top];
    if (!top || !meaning || (top !== 'localhost' && this.#isRouted(name))) return undefined;
    // A bare word is a container's, but for this one.
    if (labels.length === 1 && meaning === 'nothing') return undefined;
    if (type === 'AXFR' || type === 'IXFR') return emptyReply('REFUSED');
    const answers = meaning === 'loopback' ? loopbackRecords(name, asked, type) : [];
    const exists = name === top || answers.length > 0 || top === 'localhost' || LOOPBACK_POINTERS.has(name);
    return {
      ...emptyReply(exists ? 'NOERROR' : 'NXDOMAIN', true),
      answers,
      authorities: answers.length > 0 ? [] : [soa(top)],
      stillTrue: () => true,
    };
  }

  /** The special name that a name is, or lies below. */
  #topOf(labels: readonly string[]): string | undefined {
    const last = labels.at(-1);
    if (last !== 'arpa') return last !== undefined && Object.hasOwn(this.#meanings, last) ? last : undefined;
    for (let at = labels.length - 1; at >= 0; at -= 1) {
      const top = labels.slice(at).join('.');
      if (Object.hasOwn(this.#meanings, top)) return top;
    }
    return undefined;
  }
}

function loopbackRecords(name: string, owner: string, type: string): readonly ResourceRecord[] {
  const isReverse = name.endsWith('.arpa');
  if (isReverse && !LOOPBACK_POINTERS.has(name)) return [];
  const all: readonly ResourceRecord[] = isReverse
    ? [{ name: owner, ttl: TTL, type: 'PTR', data: 'localhost' }]
    : [
        { name: owner, ttl: TTL, type: 'A', data: '127.0.0.1' },
        { name: owner, ttl: TTL, type: 'AAAA', data: '::1' },
      ];
  return all.filter((record) => type === 'ANY' || record.type === type);
}

/** What unbound says of such a zone: it has no server and nobody to write to. */
function soa(name: string): ResourceRecord {
  const data = {
    mname: 'localhost',
    rname: 'nobody.invalid',
    serial: 1,
    refresh: 3600,
    retry: 1200,
    expire: 604_800,
    minimum: TTL,
  };
  return { name, ttl: TTL, type: 'SOA', data };
}

import { emptyReply, type Question, type Reply, type ResourceRecord, type Zone } from '../zone.ts';

/** The meaning of a special name: this machine itself, or nothing. */
type Meaning = 'loopback' | 'nothing';

/** Names with a fixed meaning, for which no server may be asked (RFC 6761 §6.3 and §6.4, RFC 7686 §2). */
export const SPECIAL_NAMES: Readonly<Record<string, Meaning>> = {
  localhost: 'loopback',
  invalid: 'nothing',
  onion: 'nothing',
};

/**
 * Reverse names of addresses with a local meaning or none (RFC 6303 §4): this host and this network, loopback,
 * link-local, broadcast and the unspecified address.
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

/** The reverse names of the loopback addresses 127.0.0.1 and ::1. */
const LOOPBACK_POINTERS: ReadonlySet<string> = new Set([
  '1.0.0.127.in-addr.arpa',
  `1.${'0.'.repeat(31)}ip6.arpa`,
]);

/** Seconds, as in unbound and BIND: these records never change. */
const TTL = 10_800;

export interface SpecialUseNeeds {
  /** Whether the operator configured servers for a name, such as an onion resolver. Not called for localhost. */
  readonly isRouted?: (name: string) => boolean;
}

/** Answers special-use names itself: a stub resolver's mistaken query must not leave this host. */
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
    // Any other single label belongs to a container.
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

/** The SOA that unbound answers for such a zone: it has no server and no contact. */
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

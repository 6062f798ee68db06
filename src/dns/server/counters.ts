import { isKnownType } from '../wire/types.ts';

/** Counts of answered queries, by zone, type and response code, and of packets that were not queries. */
export interface DnsCounters {
  readonly queries: Readonly<Record<string, number>>;
  readonly rejected: number;
  readonly dropped: number;
  /** Queries of external clients beyond the rate limit, and of any client beyond its share of waiting queries. */
  readonly limited: number;
}

/** The number of answers of one kind; its holder counts an answer by adding one. */
export interface Tally {
  count: number;
}

/** Counts answers by keys such as `service A NOERROR`; types without a mnemonic share `other`. */
export class Counters {
  readonly #queries = new Map<string, Tally>();
  #rejected = 0;
  #dropped = 0;
  #limited = 0;

  /** The tally of answers of this kind. */
  tally(zone: string, type: string, rcode: string): Tally {
    const key = `${zone} ${isKnownType(type) ? type : 'other'} ${rcode}`;
    const known = this.#queries.get(key);
    if (known) return known;
    const tally = { count: 0 };
    this.#queries.set(key, tally);
    return tally;
  }

  rejected(): void {
    this.#rejected += 1;
  }

  dropped(): void {
    this.#dropped += 1;
  }

  limited(): void {
    this.#limited += 1;
  }

  read(): DnsCounters {
    return {
      queries: Object.fromEntries(Array.from(this.#queries, ([key, { count }]) => [key, count])),
      rejected: this.#rejected,
      dropped: this.#dropped,
      limited: this.#limited,
    };
  }
}

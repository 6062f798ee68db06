import { isKnownType } from '../wire/types.ts';

/** How many queries were answered, by zone, type and response code; and packets that were no query. */
export interface DnsCounters {
  readonly queries: Readonly<Record<string, number>>;
  readonly rejected: number;
  readonly dropped: number;
  /** Queries of strangers beyond what they are answered, and of anybody beyond his share of those that wait. */
  readonly limited: number;
}

/** How many answers of one kind there were; whoever holds it counts by adding one. */
export interface Tally {
  count: number;
}

/** Counts answers under keys like `service A NOERROR`; types without a mnemonic share `other`. */
export class Counters {
  readonly #queries = new Map<string, Tally>();
  #rejected = 0;
  #dropped = 0;
  #limited = 0;

  /** Where answers of this kind are counted. */
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

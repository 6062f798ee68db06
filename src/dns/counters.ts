import { isKnownType } from './types.ts';

/** How many queries were answered, by zone, type and response code; and packets that were no query. */
export interface DnsCounters {
  readonly queries: Readonly<Record<string, number>>;
  readonly rejected: number;
  readonly dropped: number;
  /** Queries of strangers beyond what they are answered. */
  readonly limited: number;
}

/** Counts answers under keys like `service A NOERROR`; types without a mnemonic share `other`. */
export class Counters {
  readonly #queries = new Map<string, number>();
  #rejected = 0;
  #dropped = 0;
  #limited = 0;

  answered(zone: string, type: string, rcode: string): void {
    const key = `${zone} ${isKnownType(type) ? type : 'other'} ${rcode}`;
    this.#queries.set(key, (this.#queries.get(key) ?? 0) + 1);
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
      queries: Object.fromEntries(this.#queries),
      rejected: this.#rejected,
      dropped: this.#dropped,
      limited: this.#limited,
    };
  }
}

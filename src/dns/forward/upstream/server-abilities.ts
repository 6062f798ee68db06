import { RCODES } from '../../zone.ts';
import type { Result } from './reply.ts';
import { isError } from './verdict.ts';

/** The form of a query: with EDNS and our loop mark, with EDNS alone, or without EDNS. */
export type ServerAbility = 'marked' | 'edns' | 'plain';

/** How long a rejected form is remembered, in milliseconds: servers change, and so do the paths to them. */
const REJECTED_MS = 900_000;
/** The same if the server was only silent, which has other causes as well. */
const SUSPECTED_MS = 300_000;
/** How long a server that changes the letter case is queried in lower case. */
const CHANGES_CASE_MS = 3_600_000;
/** How long a server whose errors do not depend on EDNS is not queried without EDNS. */
const SETTLED_MS = 60_000;

/** Codes by which servers without EDNS reject it (RFC 6891 §7), and the code for another EDNS version. */
const REFUSES_EDNS: ReadonlySet<number> = new Set([RCODES.FORMERR, RCODES.NOTIMP, RCODES.BADVERS]);

/** The forms of queries that one server was found to accept; remembered for a while. */
export class ServerAbilities {
  readonly #now: () => number;
  readonly #mayHaveMark: boolean;
  #plainUntil = Number.NEGATIVE_INFINITY;
  #unmarkedUntil = Number.NEGATIVE_INFINITY;
  #provenUntil = Number.NEGATIVE_INFINITY;
  #settledUntil = Number.NEGATIVE_INFINITY;
  #changesCaseUntil = Number.NEGATIVE_INFINITY;

  /** @param mayHaveMark whether our loop mark may be sent to the server */
  constructor(now: () => number, mayHaveMark: boolean) {
    this.#now = now;
    this.#mayHaveMark = mayHaveMark;
  }

  /** The form of the first query. @param isSilent whether the server does not answer at the moment */
  first(isSilent: boolean): ServerAbility {
    const now = this.#now();
    // A server or firewall that drops queries with EDNS looks like an unreachable one.
    if (now < this.#plainUntil || (isSilent && now >= this.#provenUntil)) return 'plain';
    return this.#mayHaveMark && now >= this.#unmarkedUntil ? 'marked' : 'edns';
  }

  /** The form of the next attempt after this result; undefined if the form is not the cause. */
  next(
    ability: ServerAbility,
    result: Result,
    { needsEdns, needsMark }: { readonly needsEdns: boolean; readonly needsMark: boolean },
  ): ServerAbility | undefined {
    if (ability === 'plain' || (result !== 'malformed' && !isError(result))) return undefined;
    const isRefusal = result !== 'malformed' && REFUSES_EDNS.has(result);
    const now = this.#now();
    if (!isRefusal && (needsMark || now < this.#provenUntil || now < this.#settledUntil)) return undefined;
    return ability === 'marked' && needsEdns ? 'edns' : 'plain';
  }

  /** Learns from a question that was sent in the forms `tried`, in this order; the last one had this result. */
  learn(tried: readonly ServerAbility[], result: Result, wasSilent: boolean): void {
    const now = this.#now();
    const last = tried.at(-1);
    if (result === 'malformed' || isError(result)) {
      if (tried.length > 1) this.#settledUntil = now + SETTLED_MS;
    } else if (last !== 'plain') {
      this.#provenUntil = now + REJECTED_MS;
      if (tried.length > 1) this.#unmarkedUntil = now + REJECTED_MS;
    } else if (tried.length > 1 || (wasSilent && now >= this.#plainUntil)) {
      this.#refused(now, tried.length > 1 ? REJECTED_MS : SUSPECTED_MS);
    }
  }

  get changesCase(): boolean {
    return this.#now() < this.#changesCaseUntil;
  }

  markChangesCase(): void {
    this.#changesCaseUntil = this.#now() + CHANGES_CASE_MS;
  }

  #refused(now: number, milliseconds: number): void {
    // One refusal by a server that accepts EDNS may be forged; the second one counts.
    const wasProven = now < this.#provenUntil;
    this.#provenUntil = Number.NEGATIVE_INFINITY;
    if (wasProven) return;
    this.#plainUntil = now + milliseconds;
    // Afterwards EDNS is tried again, and our mark later: the mark alone may have been the cause.
    this.#unmarkedUntil = this.#plainUntil + REJECTED_MS;
  }
}

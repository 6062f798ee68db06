import { RCODES } from '../../zone.ts';
import type { Result } from './reply.ts';
import { isError } from './verdict.ts';

/** How a query is written: with EDNS and our loop mark, with EDNS alone, or as before EDNS. */
export type ServerAbility = 'marked' | 'edns' | 'plain';

/** How long it is remembered what a server does not like, in milliseconds: servers change, and so do paths to them. */
const DISLIKED_MS = 900_000;
/** The same where a server only was silent, which has other causes, too. */
const SUSPECTED_MS = 300_000;
/** How long a server that keeps no letters is asked in plain ones. */
const PLAIN_LETTERS_MS = 3_600_000;
/** How long a server whose errors have nothing to do with EDNS is not tried without it. */
const SETTLED_MS = 60_000;

/** Codes by which servers from before EDNS refuse it (RFC 6891 §7), and that of other versions. */
const REFUSES_EDNS: ReadonlySet<number> = new Set([RCODES.FORMERR, RCODES.NOTIMP, RCODES.BADVERS]);

/** What one server was found to take, for a while. */
export class ServerAbilities {
  readonly #now: () => number;
  readonly #mayHaveMark: boolean;
  #plainUntil = Number.NEGATIVE_INFINITY;
  #unmarkedUntil = Number.NEGATIVE_INFINITY;
  #provenUntil = Number.NEGATIVE_INFINITY;
  #settledUntil = Number.NEGATIVE_INFINITY;
  #plainLettersUntil = Number.NEGATIVE_INFINITY;

  /** @param mayHaveMark whether our loop mark may be sent to the server */
  constructor(now: () => number, mayHaveMark: boolean) {
    this.#now = now;
    this.#mayHaveMark = mayHaveMark;
  }

  /** How to ask the server first; `isSilent` where it does not answer at the moment. */
  first(isSilent: boolean): ServerAbility {
    const now = this.#now();
    // A server or firewall that drops queries with EDNS looks like one that is away.
    if (now < this.#plainUntil || (isSilent && now >= this.#provenUntil)) return 'plain';
    return this.#mayHaveMark && now >= this.#unmarkedUntil ? 'marked' : 'edns';
  }

  /** How to ask again after this, or undefined where the manner is not to blame. */
  next(
    manner: ServerAbility,
    result: Result,
    { needsEdns, needsMark }: { readonly needsEdns: boolean; readonly needsMark: boolean },
  ): ServerAbility | undefined {
    if (manner === 'plain' || (result !== 'malformed' && !isError(result))) return undefined;
    const isRefusal = result !== 'malformed' && REFUSES_EDNS.has(result);
    const now = this.#now();
    if (!isRefusal && (needsMark || now < this.#provenUntil || now < this.#settledUntil)) return undefined;
    return manner === 'marked' && needsEdns ? 'edns' : 'plain';
  }

  /** Learns from a question that was asked in `tried`, one after the other, of which the last one led to this result. */
  learn(tried: readonly ServerAbility[], result: Result, wasSilent: boolean): void {
    const now = this.#now();
    const last = tried.at(-1);
    if (result === 'malformed' || isError(result)) {
      if (tried.length > 1) this.#settledUntil = now + SETTLED_MS;
    } else if (last !== 'plain') {
      this.#provenUntil = now + DISLIKED_MS;
      if (tried.length > 1) this.#unmarkedUntil = now + DISLIKED_MS;
    } else if (tried.length > 1 || (wasSilent && now >= this.#plainUntil)) {
      this.#refused(now, tried.length > 1 ? DISLIKED_MS : SUSPECTED_MS);
    }
  }

  get hasPlainLetters(): boolean {
    return this.#now() < this.#plainLettersUntil;
  }

  keepsNoLetters(): void {
    this.#plainLettersUntil = this.#now() + PLAIN_LETTERS_MS;
  }

  #refused(now: number, milliseconds: number): void {
    // One refusal of a server that takes EDNS may be forged; the second one counts.
    const wasProven = now < this.#provenUntil;
    this.#provenUntil = Number.NEGATIVE_INFINITY;
    if (wasProven) return;
    this.#plainUntil = now + milliseconds;
    // Afterwards EDNS is tried anew, our mark later: it may have been the mark alone.
    this.#unmarkedUntil = this.#plainUntil + DISLIKED_MS;
  }
}

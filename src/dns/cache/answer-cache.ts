import type { Tally } from '../server/counters.ts';
import { FLAGS } from '../wire/message.ts';
import { RCODES } from '../zone.ts';
import { type AnswerTemplate, fillTemplate } from './answer-template.ts';
import { BoundedMap } from './bounded-map.ts';
import { type CacheKey, type Circumstances, hashOf, matchesKey, nameEnd } from './cache-key.ts';

export interface AnswerCacheOptions {
  /** Cached answers for names that do not exist. */
  readonly maxAbsent?: number;
  /** Bytes of all other cached answers together. */
  readonly maxBytes?: number;
  readonly random?: () => number;
}

/** An encoded answer. */
export interface CachedAnswer {
  readonly template: AnswerTemplate;
  /** The question's type, as in Question. */
  readonly type: string;
  /** Counts each use of the answer. */
  readonly tally: Tally;
  /** As in Reply. */
  readonly stillTrue: () => boolean;
}

interface Entry extends CachedAnswer {
  readonly key: CacheKey;
}

/** Memory of an entry besides message and question: objects, links, buffer overhead. */
const ENTRY_BYTES = 500;

/**
 * Encoded answers by the bytes of their query, except for its id and the case of its letters. No stale answer is ever
 * used: before each use, the zone checks whether it would still give the same one. That compares the instances and
 * encodes nothing. A change of one service does not evict the answers of others.
 */
export class AnswerCache {
  /** By hash: two questions with the same hash, which are rare, evict each other. */
  readonly #answers: BoundedMap<Entry>;
  /** Names that do not exist have a small cache of their own, since there is no limit to their number. */
  readonly #absent: BoundedMap<Entry>;
  readonly #random: () => number;

  constructor(options: AnswerCacheOptions = {}) {
    const { maxAbsent = 10_000, maxBytes = 192 << 20, random = Math.random } = options;
    this.#random = random;
    this.#absent = new BoundedMap(maxAbsent);
    this.#answers = new BoundedMap(
      maxBytes,
      ({ key, template }) => ENTRY_BYTES + key.bytes.length + template.message.length,
    );
  }

  /** The cached answer for a query, if it is still right. */
  find(query: Buffer, circumstances: Circumstances): CachedAnswer | undefined {
    const end = nameEnd(query);
    if (end === undefined) return undefined;
    const hash = hashOf(query, end, circumstances);
    const entry = this.#answers.get(hash) ?? this.#absent.get(hash);
    if (entry === undefined || !matchesKey(query, end, circumstances, entry.key)) return undefined;
    if (isCurrent(entry)) return entry;
    this.#answers.delete(hash);
    this.#absent.delete(hash);
    return undefined;
  }

  /** The message that answers this query. */
  answer({ template }: CachedAnswer, query: Buffer): Buffer {
    return fillTemplate(template, query, this.#random);
  }

  store(key: CacheKey, answer: CachedAnswer): void {
    const isAbsent = ((answer.template.message[3] ?? 0) & FLAGS.rcode) === RCODES.NXDOMAIN;
    (isAbsent ? this.#absent : this.#answers).set(key.hash, { ...answer, key });
  }
}

/** An answer that cannot be checked is not used: the question goes to the zones, which answer a failure properly. */
function isCurrent({ stillTrue }: Entry): boolean {
  try {
    return stillTrue();
  } catch {
    return false;
  }
}

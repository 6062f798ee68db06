import type { Tally } from '../server/counters.ts';
import { FLAGS } from '../wire/message.ts';
import { RCODES } from '../zone.ts';
import { type AnswerTemplate, fill } from './answer-template.ts';
import { BoundedMap } from './bounded-map.ts';
import { type CacheKey, type Circumstances, hashOf, hasKey, nameEnd } from './cache-key.ts';

export interface AnswerCacheOptions {
  /** Of names that do not exist. */
  readonly maxAbsent?: number;
  /** Of all kept answers together. */
  readonly maxBytes?: number;
  readonly random?: () => number;
}

/** An answer of ours that was encoded before. */
export interface KeptAnswer {
  readonly template: AnswerTemplate;
  /** What was asked for, as in Question. */
  readonly type: string;
  /** Where it is counted. */
  readonly tally: Tally;
  /** As in Reply. */
  readonly stillTrue: () => boolean;
}

interface Kept extends KeptAnswer {
  readonly key: CacheKey;
}

/** Beside message and question: objects, links, the buffers' own. */
const ENTRY_BYTES = 500;

/**
 * Encoded answers by the very bytes that ask for them, but for the id and the case of letters. Nothing in here is ever
 * out of date: before each use the zone says whether it would still answer so, which costs a look at the instances and
 * no encoding. So a change of one service costs the others nothing.
 */
export class AnswerCache {
  /** By hash: two questions of the same one, which are rare, push each other out. */
  readonly #kept: BoundedMap<Kept>;
  /** Names that do not exist have little room of their own: of them there are endlessly many. */
  readonly #absent: BoundedMap<Kept>;
  readonly #random: () => number;

  constructor(options: AnswerCacheOptions = {}) {
    const { maxAbsent = 10_000, maxBytes = 192 << 20, random = Math.random } = options;
    this.#random = random;
    this.#absent = new BoundedMap(maxAbsent);
    this.#kept = new BoundedMap(
      maxBytes,
      ({ key, template }) => ENTRY_BYTES + key.bytes.length + template.message.length,
    );
  }

  /** What is kept for a query, if it is still true. */
  find(query: Buffer, circumstances: Circumstances): KeptAnswer | undefined {
    const end = nameEnd(query);
    if (end === undefined) return undefined;
    const hash = hashOf(query, end, circumstances);
    const kept = this.#kept.get(hash) ?? this.#absent.get(hash);
    if (kept === undefined || !hasKey(query, end, circumstances, kept.key)) return undefined;
    if (isStillTrue(kept)) return kept;
    this.#kept.delete(hash);
    this.#absent.delete(hash);
    return undefined;
  }

  /** The message that answers this query. */
  answer({ template }: KeptAnswer, query: Buffer): Buffer {
    return fill(template, query, this.#random);
  }

  keep(key: CacheKey, answer: KeptAnswer): void {
    const isAbsent = ((answer.template.message[3] ?? 0) & FLAGS.rcode) === RCODES.NXDOMAIN;
    (isAbsent ? this.#absent : this.#kept).set(key.hash, { ...answer, key });
  }
}

/** One that cannot be judged is not given: the question is worked out anew, where a failure has its answer. */
function isStillTrue({ stillTrue }: Kept): boolean {
  try {
    return stillTrue();
  } catch {
    return false;
  }
}

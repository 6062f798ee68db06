import { randomBytes } from 'node:crypto';
import { LOOP_MARK_BYTES } from '../wire/edns.ts';
import type { Question } from '../zone.ts';

/** More of our kind than ask each other anywhere: what has passed so many goes round without us. */
const MAX_MARKS = 8;

/**
 * What a resolver of ours adds to each question that it passes on, behind the marks of those before it: one that
 * comes back with its own mark has gone round in a circle.
 */
export class LoopMark {
  readonly #own: Uint8Array;

  constructor(own: Uint8Array = randomBytes(LOOP_MARK_BYTES)) {
    this.#own = own;
  }

  /** Whether a question has been here before, or gone through more of us than make sense. */
  hasComeRound({ edns }: Question): boolean {
    const marks = edns?.loopMarks;
    return marks !== undefined && (marks.length >= MAX_MARKS * LOOP_MARK_BYTES || this.#isIn(marks));
  }

  /** The marks that a question goes out with. */
  onto({ edns }: Question): Uint8Array {
    return edns?.loopMarks ? Buffer.concat([edns.loopMarks, this.#own]) : this.#own;
  }

  #isIn(marks: Uint8Array): boolean {
    for (let at = 0; at < marks.length; at += LOOP_MARK_BYTES) {
      if (Buffer.compare(marks.subarray(at, at + LOOP_MARK_BYTES), this.#own) === 0) return true;
    }
    return false;
  }
}

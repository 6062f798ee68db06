import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { withoutZone } from '../local-networks.ts';
import { LOOP_MARK_BYTES } from '../wire/edns.ts';
import type { Question } from '../zone.ts';

/** More of our kind than ask each other anywhere: what has passed so many goes round without us. */
const MAX_MARKS = 8;
/** Questions whose way round is remembered: as many as may be under way. */
const MAX_ROUND = 4_096;

/**
 * What a resolver of ours adds to each question that it passes on, behind the marks of those before it: one that
 * comes back with its own mark has gone round in a circle.
 */
export class LoopMark {
  readonly #own: Uint8Array;
  /** Questions that have come round lately. */
  readonly #round = new LRUCache<string, true>({ max: MAX_ROUND });

  constructor(own: Uint8Array = randomBytes(LOOP_MARK_BYTES)) {
    this.#own = own;
  }

  /** Whether a question has been here before, or gone through more of us than make sense. */
  hasComeRound({ edns, name, type }: Question): boolean {
    const marks = edns?.loopMarks;
    if (marks === undefined) return false;
    const hasComeRound = marks.length >= MAX_MARKS * LOOP_MARK_BYTES || this.#isIn(marks);
    if (hasComeRound) this.#round.set(`${name} ${type}`, true);
    return hasComeRound;
  }

  /**
   * Whether a question is better not asked without its marks. Where it goes round, the servers that it passes through
   * would wait for each other.
   */
  needs({ edns, name, type }: Question): boolean {
    return edns?.loopMarks !== undefined || this.#round.has(`${name} ${type}`);
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

/**
 * Whether a server of this address may be a resolver that asks us, or ask one that does. We answer other names to our
 * own networks alone, so that servers at public addresses cannot ask us, and have no use for our mark.
 */
export function mayLeadBack(ip: string): boolean {
  const address = withoutZone(ip);
  return isIP(address) === 0 || ipaddr.process(address).range() !== 'unicast';
}

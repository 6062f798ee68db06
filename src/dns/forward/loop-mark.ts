import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { withoutZone } from '../local-networks.ts';
import { LOOP_MARK_BYTES } from '../wire/edns.ts';
import type { Question } from '../zone.ts';

/** More heddles than forward to each other anywhere. A query with so many marks is in a loop of other heddles. */
const MAX_MARKS = 8;
/** How many looped questions are remembered: as many as may be in flight. */
const MAX_LOOPED = 4_096;

/**
 * The mark that each heddle appends to a query that it forwards, after the marks of earlier ones. A query that arrives
 * with our own mark is in a forwarding loop.
 */
export class LoopMark {
  readonly #own: Uint8Array;
  /** Questions that were recently in a loop. */
  readonly #looped = new LRUCache<string, true>({ max: MAX_LOOPED });

  constructor(own: Uint8Array = randomBytes(LOOP_MARK_BYTES)) {
    this.#own = own;
  }

  /** Whether a query has passed here before, or has passed more heddles than is plausible. */
  isLoop({ edns, name, type }: Question): boolean {
    const marks = edns?.loopMarks;
    if (marks === undefined) return false;
    const isLoop = marks.length >= MAX_MARKS * LOOP_MARK_BYTES || this.#isIn(marks);
    if (isLoop) this.#looped.set(`${name} ${type}`, true);
    return isLoop;
  }

  /**
   * Whether a query must keep its marks. In a loop without marks, the servers would wait for each other.
   */
  needs({ edns, name, type }: Question): boolean {
    return edns?.loopMarks !== undefined || this.#looped.has(`${name} ${type}`);
  }

  /** The marks of the query that we send. */
  marksFor({ edns }: Question): Uint8Array {
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
 * Whether a server at this address may forward to us, directly or through another server. We forward only for our own
 * networks, so a server at a public address cannot query us and needs no mark.
 */
export function mayQueryUs(ip: string): boolean {
  const address = withoutZone(ip);
  return isIP(address) === 0 || ipaddr.process(address).range() !== 'unicast';
}

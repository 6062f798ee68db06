import { LRUCache } from 'lru-cache';
import { HEADER_BYTES } from './message.ts';
import { type Slots, shuffleSlots, slotsOf } from './slots.ts';
import type { Reply } from './zone.ts';

export interface AnswerCacheOptions {
  readonly maxEntries?: number;
  /** Of all kept answers together. */
  readonly maxBytes?: number;
  readonly random?: () => number;
}

/** An answer of ours that was encoded before. */
export interface CachedAnswer {
  /** With the id of the query that it answers now. */
  readonly message: Buffer;
  readonly zone: string;
  readonly type: string;
  readonly rcode: string;
}

/** What is kept of a question: a few of the orders that its answers can have. */
interface Kept extends Omit<CachedAnswer, 'message'> {
  readonly orders: Buffer[];
  readonly wanted: number;
  /** Where they can be put into a new order without encoding: one order is then enough. */
  readonly slots: Slots | undefined;
  readonly stillTrue: () => boolean;
  uses: number;
}

/** Orders that are kept of one answer. */
const MAX_ORDERS = 8;
/** One use in so many is encoded anew, in a new order, so that in the long run every order is equally likely. */
const RENEW_EVERY = 16;
/** Of an OPT record without options: what has more is one client's own question. */
const [PLAIN, WITH_OPT] = [0, 11];
/** Beside the messages: key, object, links. */
const ENTRY_BYTES = 400;

/**
 * Encoded answers by the very bytes that ask for them, but for the id. Nothing in here is ever out of date: before
 * each use the zone says whether it would still answer so, which costs a look at the instances and no encoding.
 */
export class AnswerCache {
  readonly #kept: LRUCache<string, Kept>;
  readonly #random: () => number;

  constructor({ maxEntries = 200_000, maxBytes = 96 << 20, random = Math.random }: AnswerCacheOptions = {}) {
    this.#random = random;
    this.#kept = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      // All orders of one answer are equally long.
      sizeCalculation: ({ orders, wanted }) => ENTRY_BYTES + wanted * (orders[0]?.length ?? 0),
    });
  }

  /** The answer to the same question, or undefined when it has to be made, which `keep` then hears of. */
  find(key: string, packet: Buffer): CachedAnswer | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    kept.uses += 1;
    if (kept.orders.length < kept.wanted || (kept.wanted > 1 && kept.uses % RENEW_EVERY === 0))
      return undefined;
    if (!kept.stillTrue()) {
      this.#kept.delete(key);
      return undefined;
    }
    const order = kept.orders[Math.floor(this.#random() * kept.orders.length)] as Buffer;
    const message = Buffer.from(order);
    message.set(packet.subarray(0, 2), 0);
    if (kept.slots) shuffleSlots(message, order, kept.slots, this.#random);
    const { zone, type, rcode } = kept;
    return { message, zone, type, rcode };
  }

  /** Keeps an answer whose zone can say whether it is still true. */
  keep(key: string, reply: Reply, { message, zone, type, rcode }: CachedAnswer): void {
    if (reply.stillTrue === undefined) return;
    // A copy: an encoded message is the beginning of a buffer as large as a message may be.
    const order = Buffer.from(message);
    const kept = this.#kept.get(key);
    if (kept?.stillTrue()) {
      const at =
        kept.orders.length < kept.wanted ? kept.orders.length : Math.floor(this.#random() * kept.wanted);
      kept.orders[at] = order;
      return;
    }
    const slots = slotsOf(order, reply);
    const wanted = slots || reply.answers.length === 1 ? 1 : MAX_ORDERS;
    const { stillTrue } = reply;
    this.#kept.set(key, { zone, type, rcode, orders: [order], wanted, slots, stillTrue, uses: 0 });
  }
}

/**
 * What tells a question with all that its answer depends on from others: everything behind the id, transport, and
 * whether recursion is offered. Undefined for questions that are one client's own.
 */
export function cacheKey(packet: Buffer, transport: 'udp' | 'tcp', recursion: boolean): string | undefined {
  const end = questionEnd(packet);
  const rest = packet.length - end;
  if (end > packet.length || (rest !== PLAIN && rest !== WITH_OPT)) return undefined;
  return `${transport}${recursion ? '+' : '-'}${packet.toString('latin1', 2)}`;
}

/** Where the only question of a query ends; beyond the packet for what is none. */
function questionEnd(packet: Buffer): number {
  let at = HEADER_BYTES;
  for (let length = packet[at]; length !== undefined && length !== 0; length = packet[at]) at += 1 + length;
  return at + 5;
}

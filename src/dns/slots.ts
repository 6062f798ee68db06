import { FLAGS, HEADER_BYTES } from './message.ts';
import type { Reply } from './zone.ts';

/** Where the answers of an encoded message lie; offsets and lengths in bytes. */
export interface Slots {
  readonly start: number;
  readonly size: number;
  readonly count: number;
}

/** Beyond so many, moving them costs as much as encoding them. */
const MAX_SLOTS = 16;
/** A pointer to the question, type, class, TTL, length; then the address. */
const SIZES: Readonly<Record<string, number>> = { A: 16, AAAA: 28 };
/** An OPT record without options. */
const OPT_BYTES = 11;

/**
 * The places of the answers of a whole message, if they can change places: addresses of one family, which are equally
 * long, and which no name in the message points into.
 */
export function slotsOf(message: Buffer, { answers, authorities, additionals }: Reply): Slots | undefined {
  const size = SIZES[answers[0]?.type ?? ''];
  const isCut = (message.readUInt16BE(2) & FLAGS.truncated) !== 0;
  if (size === undefined || isCut || answers.length > MAX_SLOTS) return undefined;
  if (authorities.length > 0 || additionals.length > 0) return undefined;
  if (answers.some(({ type }) => type !== answers[0]?.type)) return undefined;
  const opt = message.readUInt16BE(10) > 0 ? OPT_BYTES : 0;
  const start = message.length - opt - size * answers.length;
  // The question is not shorter than the root's name, its type and its class.
  return start >= HEADER_BYTES + 5 ? { start, size, count: answers.length } : undefined;
}

/** Puts the answers of `message`, a copy of `source`, into a random order, each equally likely (Fisher and Yates). */
export function shuffleSlots(message: Buffer, source: Buffer, slots: Slots, random: () => number): void {
  const { start, size, count } = slots;
  const from = Array.from({ length: count }, (_, slot) => slot);
  for (let slot = count - 1; slot >= 0; slot -= 1) {
    const other = Math.floor(random() * (slot + 1));
    const taken = from[other] as number;
    from[other] = from[slot] as number;
    const offset = start + taken * size;
    if (taken !== slot) source.copy(message, start + slot * size, offset, offset + size);
  }
}

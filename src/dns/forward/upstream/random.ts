import { randomFillSync } from 'node:crypto';

/** Filled at once: a call of the system's generator costs as much as several hundred of its bytes. */
const drawn = Buffer.alloc(4_096);
let used = drawn.length;

/** An unpredictable byte. */
export function randomByte(): number {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const byte = drawn[used] as number;
  used += 1;
  return byte;
}

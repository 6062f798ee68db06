import { randomFillSync } from 'node:crypto';

/** A call of the system's generator costs as much as some hundred bytes of it. */
const drawn = Buffer.alloc(4_096);
let used = drawn.length;

/** A byte that nobody can foretell. */
export function randomByte(): number {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const byte = drawn[used] as number;
  used += 1;
  return byte;
}

/** Numbers from 0 to below 1 determined by a seed (mulberry32), so that a failure can be reproduced. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** New seeds at every run, or those from HEDDLE_TEST_SEED on, which a failed test's name shows. */
export function seeds(count: number): number[] {
  const first = Number(process.env.HEDDLE_TEST_SEED ?? Math.floor(Math.random() * 1e6));
  return Array.from({ length: count }, (_, index) => first + index);
}

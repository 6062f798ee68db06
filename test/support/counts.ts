/** A number for every run, and a larger one for `npm run test:full`. */
export function count(small: number, full: number): number {
  return process.env.HEDDLE_TEST_FULL === '1' ? full : small;
}

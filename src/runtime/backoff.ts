/** The first and the longest delay between attempts, in ms. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

/** As `random`: the delay is the full one each time. */
export const WITHOUT_JITTER = (): number => 1;

/**
 * The delay before the next attempt after so many failures in a row, in ms. It doubles with each failure. Jitter shortens
 * it by up to half, so that many hosts do not return to a busy server at the same moment.
 * @param random returns a number from 0 to 1
 */
export function backoff(
  failures: number,
  { first, longest }: Backoff,
  random: () => number = Math.random,
): number {
  return Math.min(longest, first * 2 ** Math.min(failures - 1, 20)) * (0.5 + random() / 2);
}

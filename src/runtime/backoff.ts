/** The first and the longest wait, in ms. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

/** How long to wait after so many failures in a row: doubled, with jitter, so that many hosts do not come back in step. */
export function waitAfter(failures: number, { first, longest }: Backoff): number {
  return Math.min(longest, first * 2 ** Math.min(failures - 1, 20)) * (0.5 + Math.random() / 2);
}

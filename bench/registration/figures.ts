/** Statistics of a list of milliseconds. */
export interface Figures {
  readonly n: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

export function figures(values: readonly number[]): Figures {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
  return { n: sorted.length, median: at(0.5), p95: at(0.95), max: at(1) };
}

export const round = (value: number): number => Math.round(value * 10) / 10;

/** The results of one ring of the test run. */
export interface Tally {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** A title for each failure. */
  readonly failures: readonly string[];
  /** False for lint and similar checks: each counts as one, but none is a test. */
  readonly isTests: boolean;
  readonly seconds: number;
}

export const noTests = { passed: 0, failed: 0, skipped: 0, failures: [], isTests: false } as const;

/** All rings together. */
export function sum(rings: readonly Tally[]): Tally {
  const total = (count: (ring: Tally) => number) => rings.reduce((before, ring) => before + count(ring), 0);
  return {
    name: 'all',
    passed: total((ring) => ring.passed),
    failed: total((ring) => ring.failed),
    skipped: total((ring) => ring.skipped),
    failures: rings.flatMap((ring) => ring.failures),
    isTests: rings.some((ring) => ring.isTests),
    seconds: total((ring) => ring.seconds),
  };
}

/** One line for each ring, for people. */
export function tallyTable(rings: readonly Tally[]): string {
  const width = Math.max(...rings.map(({ name }) => name.length));
  return rings
    .map(({ name, passed, failed, skipped, seconds }) => {
      const counts = [`${passed} passed`, `${failed} failed`, `${skipped} skipped`];
      return `${name.padEnd(width)}  ${counts.map((text) => text.padStart(12)).join('')}  ${seconds.toFixed(0)} s`;
    })
    .join('\n');
}

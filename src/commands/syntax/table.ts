import { printable } from '../../runtime/printable.ts';

/**
 * Rows under upper-case headings, left-aligned, two spaces between columns, as `docker ps` prints them.
 * @param notes lines to print below each row
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  notes: readonly (readonly string[])[] = [],
): string {
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows.map((row) => row.map(printable))];
  const widths = headings.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, line[column]?.length ?? 0), 0),
  );
  const aligned = (line: readonly string[]) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return lines
    .flatMap((line, row) => [aligned(line), ...(notes[row - 1] ?? []).map(printable)])
    .map((line) => `${line}\n`)
    .join('');
}

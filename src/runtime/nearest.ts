/** Longer texts are not compared: the work grows with the square of the length. */
const LONGEST = 64;

/**
 * The known name that a misspelt text most likely means. At most a third of its letters may be wrong, missing, extra
 * or swapped with their neighbour. Case does not count.
 */
export function nearest(text: string, known: Iterable<string>): string | undefined {
  if (text.length === 0 || text.length > LONGEST) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.min(3, Math.floor(text.length / 3))) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - text.length) >= least) continue;
    const edits = distance(text.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** ` (did you mean 'attach'?)` for the end of a message; empty if no known name is near. */
export function didYouMean(text: string, known: Iterable<string>): string {
  const found = nearest(text, known);
  return found === undefined ? '' : ` (did you mean '${found}'?)`;
}

/** Optimal string alignment distance: Levenshtein edits, and swapped neighbours. */
function distance(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const edits = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + (isSame ? 0 : 1),
      );
      const isSwapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(isSwapped ? Math.min(edits, (beforeLast[column - 2] as number) + 1) : edits);
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length] as number;
}

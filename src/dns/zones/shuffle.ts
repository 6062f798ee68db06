/** A number from 0 up to, but not including, 1, as from Math.random. */
export type Random = () => number;

/** The items in random order, each order equally likely (Fisher and Yates). Shuffled lazily. */
export function* shuffled<T>(items: readonly T[], random: Random): Generator<T> {
  const left = [...items];
  for (let next = 0; next < left.length; next += 1) {
    const chosen = next + Math.floor(random() * (left.length - next));
    [left[next], left[chosen]] = [left[chosen] as T, left[next] as T];
    yield left[next] as T;
  }
}

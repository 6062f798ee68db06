/** A number from 0 up to 1, as Math.random gives it. */
export type Random = () => number;

/** The items in a random order, each order equally likely (Fisher and Yates), as far as somebody takes them. */
export function* shuffled<T>(items: readonly T[], random: Random): Generator<T> {
  const left = [...items];
  for (let next = 0; next < left.length; next += 1) {
    const drawn = next + Math.floor(random() * (left.length - next));
    [left[next], left[drawn]] = [left[drawn] as T, left[next] as T];
    yield left[next] as T;
  }
}

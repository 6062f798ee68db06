/**
 * A map that holds so much and no more: what came first goes first. Finding something changes nothing, which is what
 * makes it cheap; what is asked for often comes back soon.
 */
export class BoundedMap<Value> {
  readonly #max: number;
  readonly #sizeOf: (value: Value) => number;
  readonly #values = new Map<number, Value>();
  /** Goes on where it stopped: a new one would pass over all that has gone since. */
  #oldest = this.#values.keys();
  #size = 0;

  /** `max` is in whatever `sizeOf` tells; without it, in entries. */
  constructor(max: number, sizeOf: (value: Value) => number = () => 1) {
    this.#max = max;
    this.#sizeOf = sizeOf;
  }

  get(key: number): Value | undefined {
    return this.#values.get(key);
  }

  set(key: number, value: Value): void {
    this.delete(key);
    this.#values.set(key, value);
    this.#size += this.#sizeOf(value);
    while (this.#size > this.#max) {
      const { value: first, done } = this.#oldest.next();
      if (done) this.#oldest = this.#values.keys();
      else this.delete(first);
    }
  }

  delete(key: number): void {
    const value = this.#values.get(key);
    if (value === undefined) return;
    this.#values.delete(key);
    this.#size -= this.#sizeOf(value);
  }
}

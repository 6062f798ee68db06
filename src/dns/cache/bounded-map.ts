/**
 * A map of limited size that evicts the oldest entry first. A lookup changes nothing, which keeps it cheap; an entry in
 * frequent use is soon stored again after its eviction.
 */
export class BoundedMap<Value> {
  readonly #max: number;
  readonly #sizeOf: (value: Value) => number;
  readonly #values = new Map<number, Value>();
  /** Kept between evictions: a new iterator would step over all entries deleted since. */
  #oldest = this.#values.keys();
  #size = 0;

  /** @param max in the unit that `sizeOf` returns; without `sizeOf`, the number of entries */
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

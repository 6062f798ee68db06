/** Containers by what they have: an address, a namespace. */
export class ReverseIndex<Key> {
  readonly #keys = new Map<string, readonly Key[]>();
  readonly #containers = new Map<Key, Set<string>>();

  /** All that a container has, in place of what it had. */
  set(container: string, keys: readonly Key[]): void {
    this.delete(container);
    if (keys.length > 0) this.#keys.set(container, keys);
    for (const key of keys) {
      const containersOf = this.#containers.get(key) ?? new Set();
      this.#containers.set(key, containersOf.add(container));
    }
  }

  delete(container: string): void {
    for (const key of this.#keys.get(container) ?? []) {
      const having = this.#containers.get(key);
      having?.delete(container);
      if (having?.size === 0) this.#containers.delete(key);
    }
    this.#keys.delete(container);
  }

  having(key: Key): readonly string[] {
    return [...(this.#containers.get(key) ?? [])];
  }
}

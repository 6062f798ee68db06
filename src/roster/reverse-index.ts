/** Finds containers by their keys: addresses or namespaces. */
export class ReverseIndex<Key> {
  readonly #keys = new Map<string, readonly Key[]>();
  readonly #containers = new Map<Key, Set<string>>();

  /** Replaces the keys of a container. */
  set(container: string, keys: readonly Key[]): void {
    this.delete(container);
    if (keys.length > 0) this.#keys.set(container, keys);
    for (const key of keys) {
      const containers = this.#containers.get(key) ?? new Set();
      this.#containers.set(key, containers.add(container));
    }
  }

  delete(container: string): void {
    for (const key of this.#keys.get(container) ?? []) {
      const containers = this.#containers.get(key);
      containers?.delete(container);
      if (containers?.size === 0) this.#containers.delete(key);
    }
    this.#keys.delete(container);
  }

  /** The containers with a key. */
  containersOf(key: Key): readonly string[] {
    return [...(this.#containers.get(key) ?? [])];
  }
}

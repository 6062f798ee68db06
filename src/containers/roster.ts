import { EventEmitter } from 'node:events';
import type { RosterEntry } from './entry.ts';

interface RosterEvents {
  set: [entry: RosterEntry];
  delete: [container: string];
}

/** Every container of the engine and what is known of it: the one table that all else derives from. */
export class Roster extends EventEmitter<RosterEvents> {
  readonly #entries = new Map<string, RosterEntry>();
  readonly #byNamespace = new Map<number, Set<string>>();

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<RosterEntry> {
    return this.#entries.values();
  }

  get(container: string): RosterEntry | undefined {
    return this.#entries.get(container);
  }

  /** All containers in a network namespace: `--net=container:X` puts several into one. */
  inNamespace(namespace: number): readonly string[] {
    return [...(this.#byNamespace.get(namespace) ?? [])];
  }

  set(entry: RosterEntry): void {
    const { id } = entry.snapshot;
    this.#forgetNamespace(id);
    this.#entries.set(id, entry);
    if (entry.namespace !== undefined) {
      const sharing = this.#byNamespace.get(entry.namespace) ?? new Set();
      this.#byNamespace.set(entry.namespace, sharing.add(id));
    }
    this.emit('set', entry);
  }

  delete(container: string): void {
    this.#forgetNamespace(container);
    if (this.#entries.delete(container)) this.emit('delete', container);
  }

  #forgetNamespace(container: string): void {
    const namespace = this.#entries.get(container)?.namespace;
    if (namespace === undefined) return;
    const sharing = this.#byNamespace.get(namespace);
    sharing?.delete(container);
    if (sharing?.size === 0) this.#byNamespace.delete(namespace);
  }
}

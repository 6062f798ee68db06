import { EventEmitter } from 'node:events';
import type { RosterEntry } from './entry.ts';
import { ReverseIndex } from './reverse-index.ts';

interface RosterEvents {
  set: [entry: RosterEntry];
  delete: [container: string];
}

/** The table of all containers of the engine, from which all other data derives. */
export class Roster extends EventEmitter<RosterEvents> {
  readonly #entries = new Map<string, RosterEntry>();
  readonly #byNamespace = new ReverseIndex<number>();
  readonly #byAddress = new ReverseIndex<string>();
  /**
   * Whether it holds every container of the engine. Before that, no one knows which addresses are free or who shares a
   * network namespace. Set once, by the first scan of all containers.
   */
  complete = false;

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<RosterEntry> {
    return this.#entries.values();
  }

  get(container: string): RosterEntry | undefined {
    return this.#entries.get(container);
  }

  /** All containers in a network namespace; several share one with `--net=container:X`. */
  inNamespace(namespace: number): readonly string[] {
    return this.#byNamespace.containersOf(namespace);
  }

  /** All containers with an address, written without prefix. */
  withAddress(ip: string): readonly string[] {
    return this.#byAddress.containersOf(ip);
  }

  set(entry: RosterEntry): void {
    const { id } = entry.snapshot;
    this.#entries.set(id, entry);
    this.#byNamespace.set(id, entry.namespace === undefined ? [] : [entry.namespace]);
    this.#byAddress.set(
      id,
      entry.addresses.map(({ ip }) => ip),
    );
    this.emit('set', entry);
  }

  delete(container: string): void {
    this.#byNamespace.delete(container);
    this.#byAddress.delete(container);
    if (this.#entries.delete(container)) this.emit('delete', container);
  }
}

/** Removals come first, because another container may already have the address. */
export type WriteKind = 'removal' | 'other';

/** The most consecutive removals while another write waits: a thousand of them must not delay a registration. */
const REMOVALS_IN_A_ROW = 7;

/**
 * Ids that wait to be written, in lanes that take turns, however many ids wait in each. A lane is a container: one with
 * a thousand ports delays another container by a single write.
 */
export class WriteTurns {
  readonly #lanes: Readonly<Record<WriteKind, Map<string, Set<string>>>> = {
    removal: new Map(),
    other: new Map(),
  };
  readonly #waiting = new Map<string, { readonly lane: string; readonly kind: WriteKind }>();
  #removals = 0;

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Adds an id; one that waits already is moved if its lane or kind changed. */
  add(id: string, lane: string, kind: WriteKind): void {
    const before = this.#waiting.get(id);
    if (before?.lane === lane && before.kind === kind) return;
    if (before !== undefined) this.#drop(id, before.lane, before.kind);
    this.#waiting.set(id, { lane, kind });
    const ids = this.#lanes[kind].get(lane);
    if (ids === undefined) this.#lanes[kind].set(lane, new Set([id]));
    else ids.add(id);
  }

  /** Removes and returns the next id. */
  take(): string | undefined {
    const kind = this.#next();
    const [first] = this.#lanes[kind];
    if (first === undefined) return undefined;
    const [lane, ids] = first;
    const [id] = ids;
    if (id === undefined) return undefined;
    this.#removals = kind === 'removal' ? this.#removals + 1 : 0;
    this.#waiting.delete(id);
    this.#drop(id, lane, kind);
    // The lane goes to the end: its next turn comes after those of all other lanes.
    if (this.#lanes[kind].delete(lane)) this.#lanes[kind].set(lane, ids);
    return id;
  }

  clear(): void {
    this.#waiting.clear();
    for (const lanes of Object.values(this.#lanes)) lanes.clear();
  }

  #next(): WriteKind {
    const { removal, other } = this.#lanes;
    if (removal.size === 0) return 'other';
    return other.size > 0 && this.#removals >= REMOVALS_IN_A_ROW ? 'other' : 'removal';
  }

  #drop(id: string, lane: string, kind: WriteKind): void {
    const ids = this.#lanes[kind].get(lane);
    ids?.delete(id);
    if (ids?.size === 0) this.#lanes[kind].delete(lane);
  }
}

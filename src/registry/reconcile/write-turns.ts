/** What a write does: removals come first, because the address may be another's already. */
export type WriteKind = 'removal' | 'other';

/** So many removals in a row, while something else waits: a thousand of them must not hold up a registration. */
const REMOVALS_IN_A_ROW = 7;

/**
 * Ids that wait to be written, by lanes: each lane has its turn, however much waits in the others. A lane is a
 * container, so that one of a thousand ports costs another one a single write.
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

  /** Has an id wait for its turn; one that waits already is moved where it is of another kind now. */
  add(id: string, lane: string, kind: WriteKind): void {
    const before = this.#waiting.get(id);
    if (before?.lane === lane && before.kind === kind) return;
    if (before !== undefined) this.#drop(id, before.lane, before.kind);
    this.#waiting.set(id, { lane, kind });
    const ids = this.#lanes[kind].get(lane);
    if (ids === undefined) this.#lanes[kind].set(lane, new Set([id]));
    else ids.add(id);
  }

  /** Takes the id whose turn it is. */
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
    // The lane's next turn is after all others'.
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

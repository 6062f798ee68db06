/** Which variables and labels of a container are kept; most of them nobody here reads. */
export interface KeptMetadata {
  /** True for names that mean something to heddle. */
  isRead(name: string): boolean;
  /** True for the few among them that a container has once, not for each port: no number of others displaces them. */
  isWellKnown(name: string): boolean;
  /** Characters of all others that are kept besides, for templates. */
  readonly othersLimit: number;
}

/** Everything, as far as there is room for it. */
export const ALL_METADATA: KeptMetadata = { isRead: () => true, isWellKnown: () => false, othersLimit: 0 };

/** Characters, and entries, of what is read of one container. */
export const READ_LIMIT = 4 << 20;
export const READ_COUNT = 4_096;
/** Characters of one name and its value. */
export const ENTRY_LIMIT = 64 << 10;
/** For messages. */
export const METADATA_BOUNDS = `more than ${READ_COUNT}, more than ${READ_LIMIT >> 20} MiB together, or longer than ${ENTRY_LIMIT >> 10} KiB`;
/** As a variable, and as a label. */
const TIMES_WELL_KNOWN = 2;

/** Decides on one entry after the other. */
export class MetadataBudget {
  readonly #kept: KeptMetadata;
  readonly #wellKnown = new Map<string, number>();
  #read = 0;
  #count = 0;
  #others = 0;
  #leftOut = 0;

  constructor(kept: KeptMetadata) {
    this.#kept = kept;
  }

  /** How many entries that mean something were refused. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** True where an entry of this name and length is kept. */
  take(name: string, length: number): boolean {
    if (!this.#kept.isRead(name)) {
      if (length > ENTRY_LIMIT || this.#others + length > this.#kept.othersLimit) return false;
      this.#others += length;
      return true;
    }
    const isKept = length <= ENTRY_LIMIT && (this.#isReserved(name) || this.#hasRoom(length));
    if (!isKept) this.#leftOut++;
    return isKept;
  }

  #isReserved(name: string): boolean {
    if (!this.#kept.isWellKnown(name)) return false;
    const times = (this.#wellKnown.get(name) ?? 0) + 1;
    this.#wellKnown.set(name, times);
    return times <= TIMES_WELL_KNOWN;
  }

  #hasRoom(length: number): boolean {
    if (this.#count >= READ_COUNT || this.#read + length > READ_LIMIT) return false;
    this.#count++;
    this.#read += length;
    return true;
  }
}

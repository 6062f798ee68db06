/** Which variables and labels of a container are kept; most of them nobody here reads. */
export interface KeptMetadata {
  /** True for names that mean something to heddle. */
  isRead(name: string): boolean;
  /** Characters of all others that are kept besides, for templates. */
  readonly othersLimit: number;
}

/** Everything, as far as there is room for it. */
export const ALL_METADATA: KeptMetadata = { isRead: () => true, othersLimit: 0 };

/** Characters, and entries, of what is read of one container. */
const READ_LIMIT = 4 << 20;
const READ_COUNT = 4_096;
/** Characters of one name and its value. */
export const ENTRY_LIMIT = 64 << 10;

/** Decides on one entry after the other. */
export class MetadataBudget {
  readonly #kept: KeptMetadata;
  #read = 0;
  #count = 0;
  #others = 0;

  constructor(kept: KeptMetadata) {
    this.#kept = kept;
  }

  /** True where an entry of this name and length is kept. */
  take(name: string, length: number): boolean {
    if (length > ENTRY_LIMIT) return false;
    if (this.#kept.isRead(name)) {
      this.#read += length;
      return this.#read <= READ_LIMIT && ++this.#count <= READ_COUNT;
    }
    if (this.#others + length > this.#kept.othersLimit) return false;
    this.#others += length;
    return true;
  }
}

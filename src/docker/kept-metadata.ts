/** Which variables and labels of a container are kept; heddle uses few of them. */
export interface KeptMetadata {
  /** True for names that heddle uses. */
  isRead(name: string): boolean;
  /** True for the few that a container has once, not for each port. Other entries never displace these. */
  isWellKnown(name: string): boolean;
  /** Characters of all other entries that are kept for templates. */
  readonly othersLimit: number;
}

/** Keeps everything, up to the limits. */
export const ALL_METADATA: KeptMetadata = { isRead: () => true, isWellKnown: () => false, othersLimit: 0 };

/** Limits on the entries of one container that heddle uses: characters, and number. */
export const READ_LIMIT = 4 << 20;
export const READ_COUNT = 4_096;
/** Characters of one name and its value. */
export const ENTRY_LIMIT = 64 << 10;
/** The limits, for messages. */
export const METADATA_BOUNDS = `more than ${READ_COUNT}, more than ${READ_LIMIT >> 20} MiB together, or longer than ${ENTRY_LIMIT >> 10} KiB`;
/** Once as a variable, and once as a label. */
const TIMES_WELL_KNOWN = 2;

/** Decides for one entry after the other whether it is kept. */
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

  /** How many entries that heddle uses were dropped. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** True if an entry of this name and length is kept. */
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

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const OPEN: readonly number[] = [0x7b, 0x5b];
const CLOSE: readonly number[] = [0x7d, 0x5d];
/** Keys whose objects or lists are emptied; their first letters differ. */
const KEYS = ['Labels', 'Ports'].map((key) => Buffer.from(key));

/**
 * Removes labels and ports from a list of containers while it arrives. The engine lists them for every container; one
 * container may have megabytes of labels or 131,070 ports. heddle never reads them from the list.
 */
export class WithoutLabels {
  #inText = false;
  #escaped = false;
  /** The key that the current string may be, and how much of it has matched; -1 for another string. */
  #candidate: Buffer | undefined;
  #matched = -1;
  /** The last string equals one of the keys; a colon after it makes it a key. */
  #isKey = false;
  /** A key's value is being skipped, and how many of its brackets are open. */
  #skipping = false;
  #open = 0;

  /** Filters the next bytes. @returns valid JSON, with an empty object or list in place of each value */
  take(chunk: Buffer): readonly Buffer[] {
    const kept: Buffer[] = [];
    let from = this.#skipping && this.#open > 0 ? chunk.length : 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#inText) this.#text(byte);
      else if (byte === QUOTE) {
        this.#inText = true;
        this.#matched = 0;
        this.#isKey = false;
        if (this.#open === 0) this.#skipping = false;
      } else if (this.#skipping) {
        if (OPEN.includes(byte) && this.#open++ === 0) {
          kept.push(chunk.subarray(from, at + 1));
          from = chunk.length;
        } else if (CLOSE.includes(byte) && --this.#open === 0) {
          this.#skipping = false;
          from = at;
        } else if (this.#open === 0 && byte > 0x20) this.#skipping = false; // null
      } else if (byte === COLON) {
        this.#skipping = this.#isKey;
        this.#isKey = false;
      } else if (byte > 0x20) this.#isKey = false;
    }
    if (from < chunk.length) kept.push(chunk.subarray(from));
    return kept;
  }

  #text(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === QUOTE) {
      this.#inText = false;
      this.#isKey = this.#matched > 0 && this.#matched === this.#candidate?.length;
      return;
    } else if (byte === BACKSLASH) this.#escaped = true;
    if (this.#matched === 0) this.#candidate = KEYS.find(([first]) => first === byte);
    this.#matched = this.#matched >= 0 && byte === this.#candidate?.[this.#matched] ? this.#matched + 1 : -1;
  }
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const OPEN: readonly number[] = [0x7b, 0x5b];
const CLOSE: readonly number[] = [0x7d, 0x5d];
/** Keys whose objects or lists are left out; no two begin alike. */
const KEYS = ['Labels', 'Ports'].map((key) => Buffer.from(key));

/**
 * Leaves labels and ports out of a list of containers while it arrives. The engine lists all of every container, one
 * may have megabytes of labels or 131,070 ports, and nothing here reads them from the list.
 */
export class WithoutLabels {
  #inText = false;
  #escaped = false;
  /** Which key the text may be, and how much of it the text has been so far; -1 for another text. */
  #candidate: Buffer | undefined;
  #matched = -1;
  /** The text that just ended was one of the keys: a colon makes it a key. */
  #isKey = false;
  /** Its value comes, or how many brackets of it are open. */
  #skipping = false;
  #open = 0;

  /** What is to be kept of the next bytes: valid JSON, with an empty object or list in the place of each. */
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

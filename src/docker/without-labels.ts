const [QUOTE, BACKSLASH, COLON, OPEN, CLOSE] = [0x22, 0x5c, 0x3a, 0x7b, 0x7d];
const LABELS = Buffer.from('Labels');

/**
 * Leaves the labels out of a list of containers while it arrives. The engine lists every label of every container, a
 * container may have megabytes of them, and nothing here reads them from the list.
 */
export class WithoutLabels {
  #inText = false;
  #escaped = false;
  /** How much of `Labels` the text has been so far; -1 for another text. */
  #matched = -1;
  /** The text that just ended was `Labels`: a colon makes it a key. */
  #isKey = false;
  /** Its value comes, or how many braces of it are open. */
  #skipping = false;
  #open = 0;

  /** What is to be kept of the next bytes: valid JSON, with an empty object in the place of all labels. */
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
        if (byte === OPEN && this.#open++ === 0) {
          kept.push(chunk.subarray(from, at + 1));
          from = chunk.length;
        } else if (byte === CLOSE && --this.#open === 0) {
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
      this.#isKey = this.#matched === LABELS.length;
      return;
    } else if (byte === BACKSLASH) this.#escaped = true;
    this.#matched = this.#matched >= 0 && byte === LABELS[this.#matched] ? this.#matched + 1 : -1;
  }
}

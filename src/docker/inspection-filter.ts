import { ENTRY_LIMIT, type KeptMetadata, MetadataBudget } from './kept-metadata.ts';

const [QUOTE, BACKSLASH, COMMA, COLON, EQUALS] = [0x22, 0x5c, 0x2c, 0x3a, 0x3d];
const [DIGIT_0, DIGIT_9] = [0x30, 0x39];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
/**
 * The limit on a container's ports, and so on its services: an image can expose 131,070 ports. Five-digit ports are
 * counted apart. The engine sorts ports as text, so a range of high ports may come first and must not displace the others.
 */
const MAX_PORTS = 2_048;
const HIGH_DIGITS = 5;
const MAX_NAME = 512;
/** Key in the filtered answer for the number of dropped entries; no container can write there. */
export const LEFT_OUT_KEY = 'HeddleLeftOut';
/** The keys on the path to a filtered list are shorter. */
const MAX_KEY = 24;

type List = 'labels' | 'env' | 'ports';

/** Paths of a container's own lists in the engine's answer. */
const LISTS: Readonly<Record<string, List>> = {
  'Config.Labels': 'labels',
  'Config.Env': 'env',
  'Config.ExposedPorts': 'ports',
  'NetworkSettings.Ports': 'ports',
};

/**
 * Drops unused parts of one container's inspection while the engine's answer arrives. An image or a `docker run` can
 * set any amount of labels, variables and ports, and parsing megabytes at once would block the daemon.
 */
export class InspectionFilter {
  readonly #budget: MetadataBudget;
  #inText = false;
  #escaped = false;
  #depth = 0;
  /** The last string, while it may be a key; and the current keys of the two outermost objects. */
  #text: number[] = [];
  #key = '';
  readonly #path: string[] = [];
  /** The list that is being filtered, and its depth. */
  #list: List | undefined;
  #listDepth = 0;
  #isFirst = true;
  /** Ports kept: of five digits, and of fewer. */
  #highPorts = 0;
  #lowPorts = 0;
  /** The entry that is arriving; undefined if it is dropped or has not begun. */
  #entry: Buffer[] | undefined;
  #entrySize = 0;
  #entryName: number[] = [];
  #isNamed = false;
  #isSkipped = false;

  constructor(kept: KeptMetadata) {
    this.#budget = new MetadataBudget(kept);
  }

  /** Filters the next bytes. @returns the parts to keep */
  take(chunk: Buffer): readonly Buffer[] {
    const kept: Buffer[] = [];
    // The start of the bytes that are copied unchanged: of the answer, or of an entry.
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#list === undefined) {
        if (!this.#outside(byte)) {
          if (byte !== CLOSE || this.#depth !== 0 || this.#inText || this.#budget.leftOut === 0) continue;
          const marker = Buffer.from(`,"${LEFT_OUT_KEY}":${this.#budget.leftOut}`);
          kept.push(chunk.subarray(from, at), marker);
          from = at;
          continue;
        }
        kept.push(chunk.subarray(from, at + 1));
        from = at + 1;
        continue;
      }
      const isEnd = !this.#inText && this.#depth === this.#listDepth;
      if (isEnd && (byte === COMMA || byte === CLOSE || byte === CLOSE_LIST)) {
        this.#hold(chunk.subarray(from, at));
        kept.push(...this.#ended());
        from = at + 1;
        if (byte !== COMMA) {
          this.#list = undefined;
          this.#depth--;
          this.#path.length = Math.min(this.#path.length, this.#depth);
          from = at;
        }
      } else {
        this.#inside(byte);
      }
    }
    if (this.#list === undefined) kept.push(chunk.subarray(from));
    else this.#hold(chunk.subarray(from));
    return kept;
  }

  /** True if a list to be filtered begins with this byte. */
  #outside(byte: number): boolean {
    if (this.#inText) {
      if (this.#ends(byte)) this.#key = Buffer.from(this.#text).toString('latin1');
      else if (this.#text.length <= MAX_KEY) this.#text.push(byte);
      return false;
    }
    if (byte === QUOTE) {
      this.#inText = true;
      this.#text = [];
    } else if (byte === COLON) {
      if (this.#depth <= 2) this.#path[this.#depth - 1] = this.#key;
    } else if (byte === OPEN || byte === OPEN_LIST) {
      this.#depth++;
      const list = this.#depth === 3 ? LISTS[`${this.#path[0]}.${this.#path[1]}`] : undefined;
      if (list === undefined || (list === 'env') !== (byte === OPEN_LIST)) return false;
      this.#list = list;
      this.#listDepth = this.#depth;
      this.#isFirst = true;
      this.#highPorts = 0;
      this.#lowPorts = 0;
      this.#begin();
      return true;
    } else if (byte === CLOSE || byte === CLOSE_LIST) {
      this.#depth--;
      this.#path.length = Math.max(0, Math.min(this.#path.length, this.#depth));
    }
    return false;
  }

  #inside(byte: number): void {
    if (this.#inText) {
      if (this.#ends(byte)) this.#isNamed = true;
      else if (byte === EQUALS && this.#list === 'env') this.#isNamed = true;
      const isRead = !this.#isNamed && this.#entryName.length <= MAX_NAME;
      if (isRead) this.#entryName.push(byte);
    } else if (byte === QUOTE) this.#inText = true;
    else if (byte === OPEN || byte === OPEN_LIST) this.#depth++;
    else if (byte === CLOSE || byte === CLOSE_LIST) this.#depth--;
  }

  /** True for the quote that ends a string. */
  #ends(byte: number): boolean {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inText = false;
      return true;
    }
    return false;
  }

  #begin(): void {
    this.#entry = undefined;
    this.#entrySize = 0;
    if (this.#entryName.length > 0) this.#entryName = [];
    this.#isNamed = false;
    this.#isSkipped = false;
  }

  #hold(bytes: Buffer): void {
    this.#entrySize += bytes.length;
    if (this.#isSkipped || bytes.length === 0) return;
    if (this.#entrySize > ENTRY_LIMIT) {
      this.#isSkipped = true;
      this.#entry = undefined;
    } else {
      this.#entry ??= [];
      this.#entry.push(bytes);
    }
  }

  /** The entry that has just ended, if it is to be kept. */
  #ended(): readonly Buffer[] {
    const entry = this.#entry;
    const size = this.#entrySize;
    const name = this.#entryName;
    const isNamed = this.#isNamed;
    this.#begin();
    if (!isNamed) return [];
    const isKept =
      this.#list === 'ports'
        ? this.#takesPort(name)
        : this.#budget.take(
            Buffer.from(name).toString('utf8'),
            name.length > MAX_NAME ? Number.POSITIVE_INFINITY : size,
          );
    if (!isKept || entry === undefined) return [];
    const separator = this.#isFirst ? [] : [Buffer.from(',')];
    this.#isFirst = false;
    return [...separator, ...entry];
  }

  /** @param name the port's key, `8080/tcp` */
  #takesPort(name: readonly number[]): boolean {
    const digits = name.findIndex((byte) => byte < DIGIT_0 || byte > DIGIT_9);
    return digits >= HIGH_DIGITS ? ++this.#highPorts <= MAX_PORTS : ++this.#lowPorts <= MAX_PORTS;
  }
}

/**
 * Converts domain names between wire format and text. Labels are arbitrary bytes (RFC 2181 §11). In text, dots inside
 * a label, backslashes and all bytes outside printable ASCII are escaped as in RFC 1035 §5.1 (`\.`, `\\`, `\DDD`). So
 * text maps back to the same bytes, and lower-casing it folds only ASCII letters (RFC 4343).
 */

/** Longest label, and longest name on the wire (RFC 1035 §2.3.4). */
export const MAX_LABEL = 63;
export const MAX_NAME = 255;

export interface WireName {
  readonly labels: readonly string[];
  /** Offset of the first byte behind the name. */
  readonly end: number;
}

/**
 * The uncompressed name at `offset`, or undefined if there is none. A question is the first name of its message, so a
 * compression pointer there would have no target.
 */
export function readName(bytes: Uint8Array, offset: number): WireName | undefined {
  const labels: string[] = [];
  let at = offset;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > MAX_LABEL || at + 1 + length - offset > MAX_NAME) return undefined;
    at += 1;
    if (length === 0) return { labels, end: at };
    if (at + length > bytes.length) return undefined;
    labels.push(escapeLabel(bytes, at, at + length));
    at += length;
  }
}

function escapeLabel(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    const character = String.fromCharCode(byte);
    if (byte < 0x21 || byte > 0x7e) text += `\\${String(byte).padStart(3, '0')}`;
    else text += character === '.' || character === '\\' ? `\\${character}` : character;
  }
  return text;
}

/** The labels of a name as text, with or without the final dot. */
export function splitName(text: string): readonly string[] {
  if (!text.includes('\\')) return text.split('.').filter((label) => label !== '');
  return text.match(/(?:\\\d{3}|\\.|[^.\\])+/g) ?? [];
}

/** The bytes of one label; characters beyond ASCII, which registries may hold, become UTF-8. */
export function labelBytes(label: string): Buffer {
  if (!label.includes('\\')) return Buffer.from(label, 'utf8');
  const parts = label.match(/\\\d{3}|\\.|[^\\]+/g) ?? [];
  return Buffer.concat(
    parts.map((part) => {
      if (!part.startsWith('\\')) return Buffer.from(part, 'utf8');
      return part.length === 4 ? Buffer.of(Number(part.slice(1))) : Buffer.from(part.slice(1), 'utf8');
    }),
  );
}

/** Whether a name lies below a domain, and is not the domain itself; both in lower case. */
export const isBelow = (name: string, domain: string): boolean => name.endsWith(`.${domain}`);

/** Whether a name is the domain or lies below it; both in lower case. */
export const isWithin = (name: string, domain: string): boolean => name === domain || isBelow(name, domain);

/** Whether text can be encoded as a name: no label is empty or too long, and the name is not too long. */
export function isName(text: string): boolean {
  if (text.startsWith('.') || text.includes('..')) return false;
  const lengths = splitName(text).map((label) => labelBytes(label).length);
  if (lengths.length === 0 || lengths.some((length) => length > MAX_LABEL)) return false;
  return lengths.reduce((sum, length) => sum + length + 1, 1) <= MAX_NAME;
}

import type { Io } from './io.ts';

/**
 * Foreign text on its way to a terminal: names, labels, logs and messages of containers, engines, registries and
 * resolvers can hold anything. What moves a cursor, changes a terminal, reorders or hides text is never printed: C0, DEL
 * and C1 (with them ESC and OSC), bidirectional and zero-width controls, line separators, halves of characters.
 */
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** The same but for the breaks that our own text has. */
const NOT_PRINTABLE_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A foreign word or sentence, as a part of a line. */
export const printable = (text: string): string => text.replace(NOT_PRINTABLE, '?');

/** Text of several lines that foreign text may have got into. */
export const printableLines = (text: string): string => text.replace(NOT_PRINTABLE_IN_LINES, '?');

/** A value as JSON, in which such characters are written by their numbers: whoever reads it gets them as they are. */
export const printableJson = (value: unknown, indent?: number): string =>
  escapedJson(JSON.stringify(value, undefined, indent));

/** The same for JSON that is text already. */
export const escapedJson = (json: string): string =>
  json.replace(NOT_PRINTABLE_IN_LINES, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );

/** An Io through which nothing else passes: whatever a command prints, and however, goes by here. */
export function printableIo({ stdout, stderr }: Io): Io {
  return {
    stdout: { write: (text) => stdout.write(printableLines(text)) },
    stderr: { write: (text) => stderr.write(printableLines(text)) },
  };
}

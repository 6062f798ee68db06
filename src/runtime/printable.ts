import type { Io } from './io.ts';

/**
 * Filters untrusted text for a terminal: names, labels, logs and messages of containers, engines, registries and
 * resolvers can hold anything. Characters that move the cursor, change the terminal, reorder or hide text are never
 * printed: C0, DEL and C1 (with ESC and OSC), bidirectional and zero-width controls, line separators, lone surrogates.
 */
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** The same, except for the line breaks and tabs of our own text. */
const NOT_PRINTABLE_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Untrusted text as part of a line. */
export const printable = (text: string): string => text.replace(NOT_PRINTABLE, '?');

/** Text of several lines that may contain untrusted text. */
export const printableLines = (text: string): string => text.replace(NOT_PRINTABLE_IN_LINES, '?');

/** A value as JSON, with such characters as \u escapes: a JSON parser restores them. */
export const printableJson = (value: unknown, indent?: number): string =>
  escapedJson(JSON.stringify(value, undefined, indent));

/** The same for JSON text. */
export const escapedJson = (json: string): string =>
  json.replace(NOT_PRINTABLE_IN_LINES, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );

/** An Io that filters all output of a command, whichever way the command prints. */
export function printableIo({ stdout, stderr }: Io): Io {
  return {
    stdout: { write: (text) => stdout.write(printableLines(text)) },
    stderr: { write: (text) => stderr.write(printableLines(text)) },
  };
}

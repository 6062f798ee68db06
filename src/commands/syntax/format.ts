import { Option, type OutputConfiguration } from 'commander';
import type { Io } from '../../runtime/io.ts';
import { printable, printableJson } from '../../runtime/printable.ts';

/** The option of every command that prints a result. */
export const formatOption = (): Option =>
  new Option('--format <format>', 'text or json').choices(['text', 'json']).default('text');

/** Prints the result of a command: the text that scripts read, or the same as JSON. */
export function printResult(
  io: Pick<Io, 'stdout'>,
  { format }: { readonly format?: unknown },
  text: string,
  value: unknown,
): void {
  io.stdout.write(format === 'json' ? `${printableJson(value, 2)}\n` : text);
}

/** Where commander writes its help and its messages, and how the messages begin. */
export const commanderOutput = (io: Io): OutputConfiguration => ({
  writeOut: (text) => void io.stdout.write(text),
  writeErr: (text) => void io.stderr.write(text),
  // These sentences quote user input, so control characters are escaped: one line each.
  outputError: (text, write) =>
    write(`${printable(text.replace(/\n$/, '').replace(/^error: /, 'heddle: '))}\n`),
});

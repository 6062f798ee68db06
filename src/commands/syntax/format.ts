import { Option, type OutputConfiguration } from 'commander';
import type { Io } from '../../runtime/io.ts';
import { printable, printableJson } from '../../runtime/printable.ts';

/** Every word that answers something takes it. */
export const formatOption = (): Option =>
  new Option('--format <format>', 'text or json').choices(['text', 'json']).default('text');

/** Prints what a word answers: the text that scripts read, or the same as JSON. */
export function answer(
  io: Pick<Io, 'stdout'>,
  { format }: { readonly format?: unknown },
  text: string,
  value: unknown,
): void {
  io.stdout.write(format === 'json' ? `${printableJson(value, 2)}\n` : text);
}

/** Where a command's own words go, and how they begin. */
export const outputTo = (io: Io): OutputConfiguration => ({
  writeOut: (text) => void io.stdout.write(text),
  writeErr: (text) => void io.stderr.write(text),
  // What was given stands in these sentences: they have one line each.
  outputError: (text, write) =>
    write(`${printable(text.replace(/\n$/, '').replace(/^error: /, 'heddle: '))}\n`),
});

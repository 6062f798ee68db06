import { Option } from 'commander';
import type { Io } from '../io.ts';
import { printableJson } from '../printable.ts';

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

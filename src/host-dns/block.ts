/** Our lines in a file that is not ours: between two comments, so that they can be taken out again to the byte. */

const BEGIN = '# heddle setup --host-dns: begin';
/** Where there was no file at all, none is left behind. */
const BEGIN_NEW = `${BEGIN} of a new file`;
const END = '# heddle setup --host-dns: end';
const BLOCK = new RegExp(`^${BEGIN}(?: of a new file)?\n(?:.*\n)*?${END}\n`, 'm');

/** The text with these lines in front, in the place of earlier ones of ours. */
export function withBlock(text: string | undefined, lines: readonly string[]): string {
  const rest = withoutBlock(text);
  return [rest === undefined ? BEGIN_NEW : BEGIN, ...lines, END, rest ?? ''].join('\n');
}

/** The text as it was before; undefined where there was none. */
export function withoutBlock(text: string | undefined): string | undefined {
  const rest = text?.replace(BLOCK, '');
  return rest === '' && text?.startsWith(`${BEGIN_NEW}\n`) ? undefined : rest;
}

export function hasBlock(text: string | undefined): boolean {
  return text !== undefined && BLOCK.test(text);
}

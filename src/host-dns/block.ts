/** Heddle's lines in a file of another owner. They stand between two comments, so undo restores every byte. */

const BEGIN = '# heddle setup --host-dns: begin';
/** Marks a file that did not exist before, so undo removes it. */
const BEGIN_NEW = `${BEGIN} of a new file`;
const END = '# heddle setup --host-dns: end';
const BLOCK = new RegExp(`^${BEGIN}(?: of a new file)?\n(?:.*\n)*?${END}\n`, 'm');

/** The text with these lines at its start. They replace earlier lines of heddle. */
export function withBlock(text: string | undefined, lines: readonly string[]): string {
  const rest = withoutBlock(text);
  return [rest === undefined ? BEGIN_NEW : BEGIN, ...lines, END, rest ?? ''].join('\n');
}

/** The text without heddle's lines; undefined where there was no file before. */
export function withoutBlock(text: string | undefined): string | undefined {
  const rest = text?.replace(BLOCK, '');
  return rest === '' && text?.startsWith(`${BEGIN_NEW}\n`) ? undefined : rest;
}

export function hasBlock(text: string | undefined): boolean {
  return text !== undefined && BLOCK.test(text);
}

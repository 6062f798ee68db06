import type { Sink } from '../../runtime/io.ts';

export interface TerminalLine {
  /** Puts this in the place of what was shown before. */
  show(text: string): void;
  clear(): void;
}

/** Progress, the last line of a terminal; undefined where nobody looks on: a log must not fill with it. */
export function terminalLine(stderr: Sink & { readonly isTTY?: boolean }): TerminalLine | undefined {
  if (stderr.isTTY !== true) return undefined;
  let shown = '';
  return {
    show(text) {
      if (text === shown) return;
      shown = text;
      stderr.write(`\r${text}\u001b[K`);
    },
    clear() {
      if (shown !== '') stderr.write('\r\u001b[K');
      shown = '';
    },
  };
}

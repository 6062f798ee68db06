import type { Sink } from '../../runtime/io.ts';

export interface TerminalLine {
  /** Replaces the text shown before. */
  show(text: string): void;
  clear(): void;
}

/** Progress in the last line of a terminal. Undefined without a terminal: progress must not fill a log. */
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

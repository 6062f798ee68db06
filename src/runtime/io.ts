/** Where a word's answers and complaints go; a terminal, a pipe, or the other end of the control socket. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

export interface Sink {
  write(text: string): unknown;
}

/** A sink that keeps what it is given, for one word that uses another. */
export function collect(): Sink & { readonly text: string } {
  const parts: string[] = [];
  return {
    write: (text: string) => parts.push(text),
    get text() {
      return parts.join('');
    },
  };
}

/** Runs a word, wherever that is, and resolves to its exit status. */
export type RunCommand = (argv: readonly string[], io: Io) => Promise<number>;

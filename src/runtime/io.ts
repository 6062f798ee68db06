/** Where a command's output and errors go: a terminal, a pipe, or the other end of the control socket. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

export interface Sink {
  write(text: string): unknown;
}

/** A sink that collects its text, for a command that runs another command. */
export function collect(): Sink & { readonly text: string } {
  const parts: string[] = [];
  return {
    write: (text: string) => parts.push(text),
    get text() {
      return parts.join('');
    },
  };
}

/** Runs a command, here or elsewhere, and resolves to its exit status. */
export type RunCommand = (argv: readonly string[], io: Io) => Promise<number>;

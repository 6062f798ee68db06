import type { Host } from '../control/host.ts';
import type { Io } from '../io.ts';
import { printableIo } from '../printable.ts';
import { addHostWords, runProgram } from './program.ts';

/** Runs one of the host's words here: what the daemon does for its socket, and `--local` in its own process. */
export function runOnHost(argv: readonly string[], host: Host, io: Io): Promise<number> {
  const own = printableIo(io);
  return runProgram(argv, own, (program, end) =>
    addHostWords(program, argv, (word, request) => word.run(host, request, own), end),
  );
}

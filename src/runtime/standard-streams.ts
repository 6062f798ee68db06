import { messageOf, systemCode } from '../errors.ts';

/**
 * Keeps this process going whatever becomes of its output. A reader may leave before the end (`heddle ps | head -1`),
 * or that of a daemon's log may end: neither is a failure. Output that a full disk has not taken is one.
 * @returns ends the process with this status, when its output is out: a pipe takes it in its own time
 */
export function guardStreams(): (status: number) => void {
  let lost: unknown;
  process.stdout.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') lost ??= error;
  });
  process.stderr.on('error', () => {});
  return (status) => {
    const exit = () => {
      if (lost !== undefined) process.stderr.write(`heddle: cannot write the output: ${messageOf(lost)}\n`);
      process.exit(lost !== undefined && status === 0 ? 1 : status);
    };
    // An error is told after the write that it belongs to.
    process.stdout.write('', () => setImmediate(exit));
  };
}

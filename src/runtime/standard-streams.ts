import { messageOf, systemCode } from '../errors.ts';

/**
 * Keeps the process running when its output breaks. It is no failure if the reader leaves early (`heddle ps | head -1`)
 * or the reader of a daemon's log ends. A failed write, as on a full disk, is one.
 * @returns a function that ends the process with this status once its output is written: a pipe may take time
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
    // The error event comes after the write that it belongs to.
    process.stdout.write('', () => setImmediate(exit));
  };
}

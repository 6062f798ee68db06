import { HEDDLE } from './heddle.ts';
import { type Outcome, type ProgramOptions, runProgram } from './program.ts';

const NOBODY = 65_534;

/**
 * Runs one command as a user other than root.
 * @param options.group a group whose files the user may open: Docker's
 */
export function heddleAsNobody(
  args: readonly string[],
  { group = NOBODY, ...options }: ProgramOptions & { readonly group?: number } = {},
): Promise<Outcome> {
  const user = [`--reuid=${NOBODY}`, `--regid=${group}`, '--clear-groups'];
  // The user may read everything: the folder of the tests may be root's.
  const reading = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  return runProgram('setpriv', [...user, ...reading, HEDDLE, ...args], options);
}

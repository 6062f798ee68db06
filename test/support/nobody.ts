import { HEDDLE } from './heddle.ts';
import { type Outcome, type ProgramOptions, runProgram } from './program.ts';

const NOBODY = 65_534;

/**
 * Runs one word as somebody who is not root.
 * @param options.group whose files are open to them: Docker's
 */
export function heddleAsNobody(
  args: readonly string[],
  { group = NOBODY, ...options }: ProgramOptions & { readonly group?: number } = {},
): Promise<Outcome> {
  const somebody = [`--reuid=${NOBODY}`, `--regid=${group}`, '--clear-groups'];
  // Reading is left to them: the folder of the tests may be root's.
  const reading = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  return runProgram('setpriv', [...somebody, ...reading, HEDDLE, ...args], options);
}

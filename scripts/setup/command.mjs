import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The full path of a program on PATH or in Debian's system folders; undefined if there is none. */
export function which(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  for (const folder of folders.filter(Boolean)) {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return join(folder, program);
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/**
 * Runs a program and returns its output; nothing is printed.
 * @throws Error with the last lines of its output
 */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20, ...options });
  if (result.error) throw new Error(`cannot run ${program}: ${result.error.message}`);
  if (result.status === 0) return result.stdout ?? '';
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n').slice(-12).join('\n  ');
  const ended = result.signal ? `was ended by ${result.signal}` : `ended with status ${result.status}`;
  throw new Error(`${[program, ...args].join(' ')} ${ended}\n  ${said}`);
}

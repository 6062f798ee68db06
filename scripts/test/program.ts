import { spawn } from 'node:child_process';
import { ROOT } from '../root.ts';
import { noTests, type Tally } from './tally.ts';

/** Runs a program with visible output: one check that passes or fails. */
export async function runProgram(
  program: string,
  args: readonly string[],
): Promise<Omit<Tally, 'name' | 'seconds'>> {
  const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit' });
  const passed = await new Promise<boolean>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
  const line = [program, ...args].join(' ');
  return passed ? { ...noTests, passed: 1 } : { ...noTests, failed: 1, failures: [line] };
}

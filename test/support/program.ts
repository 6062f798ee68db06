import { type ExecFileOptionsWithStringEncoding, execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Exit status and output of a program. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Milliseconds; a program that takes longer is killed and has status 124. */
  readonly timeout?: number;
}

/** Runs a program to its end, however it ends. */
export function runProgram(
  program: string,
  args: readonly string[],
  { env = {}, cwd, timeout = 60_000 }: ProgramOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options: ExecFileOptionsWithStringEncoding = {
      env: { ...process.env, ...env },
      encoding: 'utf8',
      timeout,
      maxBuffer: 64 << 20,
      killSignal: 'SIGKILL',
      ...(cwd === undefined ? {} : { cwd }),
    };
    execFile(program, args, options, (error, stdout, stderr) => {
      const code = error?.code;
      if (typeof code === 'string') reject(new Error(`${program} could not be run: ${code}`));
      else resolve({ status: error === null ? 0 : error.killed ? 124 : Number(code ?? 1), stdout, stderr });
    });
  });
}

/** Runs a program that must succeed; returns its output without the last line's end. @throws Error with its message */
export async function succeed(
  program: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<string> {
  const { status, stdout, stderr } = await runProgram(program, args, options);
  if (status === 0) return stdout.trimEnd();
  throw new Error(`${[program, ...args].join(' ')} ended with status ${status}: ${stderr || stdout}`);
}

/** The first child of a process; undefined while it has none. */
export function childOf(pid: number): number | undefined {
  const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return Number(child) || undefined;
}

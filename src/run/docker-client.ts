import { spawn } from 'node:child_process';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import type { Sink } from '../runtime/io.ts';

/** How a docker command ended, and the end of what it printed. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DockerCommandOptions {
  /** Milliseconds; a command that takes longer is killed, and has failed. */
  readonly limit?: number;
  /** Receives errors and progress of the command while it runs. */
  readonly errors?: Sink;
}

/** The last characters of each stream that are kept. */
const KEPT_CHARACTERS = 64 << 10;

/** Runs the caller's own docker client. @throws HeddleError where there is none */
export function dockerCommand(
  args: readonly string[],
  { limit, errors }: DockerCommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(limit !== undefined && { timeout: limit, killSignal: 'SIGKILL' as const }),
    });
    const kept = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        kept[name] = (kept[name] + text).slice(-KEPT_CHARACTERS);
        if (name === 'stderr') errors?.write(text);
      });
    }
    child.once('error', (cause) => {
      const missing = systemCode(cause) === 'ENOENT';
      const what = missing
        ? "there is no 'docker' command on PATH; install the docker client"
        : messageOf(cause);
      const message = `cannot start docker ${args[0]}: ${what}`;
      reject(new HeddleError(missing ? 'not-found' : 'failed', message, { cause }));
    });
    child.once('close', (code) => resolve({ status: code ?? 1, ...kept }));
  });
}

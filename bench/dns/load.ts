import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What one burst of load came to; times in microseconds. */
export interface Burst {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly answered: number;
  readonly lost: number;
  readonly noerror: number;
  readonly nxdomain: number;
  /** Of the server, for each answer. */
  readonly cpu: number;
}

/** The server has the first core to itself, the load the second. */
export const [SERVER_CORE, LOAD_CORE] = ['0', '1'];
/** Of utime and stime in /proc/PID/stat. */
const TICKS_PER_SECOND = 100;

/** Builds the load generator in a folder; returns its path. */
export function buildLoad(folder: string): string {
  const program = join(folder, 'load');
  execFileSync('cc', ['-O2', '-o', program, join(import.meta.dirname, 'load.c')]);
  return program;
}

export interface BurstOptions {
  readonly port: number;
  readonly queries: string;
  readonly outstanding: number;
  readonly seconds: number;
  /** The server's process. */
  readonly pid: number;
}

/** One burst of queries against a server on loopback. */
export async function burst(program: string, options: BurstOptions): Promise<Burst> {
  const { port, queries, outstanding, seconds, pid } = options;
  const before = ticks(pid);
  const words = ['-c', LOAD_CORE, program, String(port), queries, String(outstanding), String(seconds)];
  const { stdout } = await promisify(execFile)('taskset', words);
  const result = JSON.parse(stdout) as Omit<Burst, 'cpu'>;
  const microseconds = ((ticks(pid) - before) / TICKS_PER_SECOND) * 1e6;
  return { ...result, cpu: Math.round((10 * microseconds) / Math.max(1, result.answered)) / 10 };
}

function ticks(pid: number): number {
  // Behind the name in parentheses, which may hold anything, utime and stime are the 12th and 13th.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

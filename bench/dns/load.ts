import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/root.ts';

/** The result of one burst of load; times in microseconds. */
export interface Burst {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly answered: number;
  readonly lost: number;
  readonly noerror: number;
  readonly nxdomain: number;
  /** Processor time of the server for each answer. */
  readonly cpu: number;
}

/** The server has the first core for itself, and the load has the second. */
export const [SERVER_CORE, LOAD_CORE] = ['0', '1'];
/** The unit of utime and stime in /proc/PID/stat. */
const TICKS_PER_SECOND = 100;

/** Paths of the programs that are built for the run. */
export interface Programs {
  readonly load: string;
  readonly echo: string;
  /** heddle-server.ts as JavaScript, like the shipped program: Node's own TypeScript compiler would stay in memory. */
  readonly heddle: string;
  /** heddle-forwarder.ts likewise. */
  readonly forwarder: string;
}

/** Builds the load generator, the echo and our servers in a folder. */
export function buildPrograms(folder: string): Programs {
  const build = (name: string) => {
    const program = join(folder, name);
    execFileSync('cc', ['-O2', '-o', program, join(import.meta.dirname, `${name}.c`)]);
    return program;
  };
  const modules = join(ROOT, 'node_modules');
  symlinkSync(modules, join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const project = join(import.meta.dirname, 'tsconfig.json');
  execFileSync(join(modules, '.bin/tsc'), ['-p', project, '--outDir', folder]);
  return {
    load: build('load'),
    echo: build('echo'),
    heddle: join(folder, 'bench/dns/heddle-server.js'),
    forwarder: join(folder, 'bench/dns/heddle-forwarder.js'),
  };
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
  const args = ['-c', LOAD_CORE, program, String(port), queries, String(outstanding), String(seconds)];
  const { stdout } = await promisify(execFile)('taskset', args);
  const result = JSON.parse(stdout) as Omit<Burst, 'cpu'>;
  const microseconds = ((ticks(pid) - before) / TICKS_PER_SECOND) * 1e6;
  return { ...result, cpu: Math.round((10 * microseconds) / Math.max(1, result.answered)) / 10 };
}

/** Queries per second as dnsperf counts them, with as many sockets. @param lines path of the queries in its format */
export async function dnsperf(
  port: number,
  lines: string,
  outstanding: number,
  seconds: number,
): Promise<number> {
  const at = ['-s', '127.0.0.1', '-p', String(port), '-d', lines];
  const load = ['-c', String(outstanding), '-q', String(outstanding), '-l', String(Math.ceil(seconds))];
  const { stdout } = await promisify(execFile)('taskset', ['-c', LOAD_CORE, 'dnsperf', ...at, ...load]);
  const [, perSecond] = /Queries per second:\s+([\d.]+)/.exec(stdout) ?? [];
  if (perSecond === undefined)
    throw new Error(`expected "Queries per second" in dnsperf's output: ${stdout}`);
  return Math.round(Number(perSecond));
}

/** The resident memory of a process, in MiB. */
export function rssOf(pid: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kibibytes) / 1024);
}

function ticks(pid: number): number {
  // After the name in parentheses, which may contain anything, utime and stime are the 12th and 13th field.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

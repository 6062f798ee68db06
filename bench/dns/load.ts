import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/root.ts';

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

/** Paths of what is built for the run. */
export interface Programs {
  readonly load: string;
  readonly echo: string;
  /** heddle-server.ts as JavaScript, as what is shipped: Node's own compiler would stay in its memory. */
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
  const words = ['-c', LOAD_CORE, program, String(port), queries, String(outstanding), String(seconds)];
  const { stdout } = await promisify(execFile)('taskset', words);
  const result = JSON.parse(stdout) as Omit<Burst, 'cpu'>;
  const microseconds = ((ticks(pid) - before) / TICKS_PER_SECOND) * 1e6;
  return { ...result, cpu: Math.round((10 * microseconds) / Math.max(1, result.answered)) / 10 };
}

/** Queries per second as dnsperf counts them, with as many sockets; `lines` is the file of queries in its form. */
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
  if (perSecond === undefined) throw new Error(`expected dnsperf to tell queries per second: ${stdout}`);
  return Math.round(Number(perSecond));
}

/** What a process has in memory, in MiB. */
export function rssOf(pid: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kibibytes) / 1024);
}

function ticks(pid: number): number {
  // Behind the name in parentheses, which may hold anything, utime and stime are the 12th and 13th.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

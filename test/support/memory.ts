import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** More than collecting garbage later leaves, in MiB: a queue that grew would be. */
export const SLACK_MIB = 40;

/** What a process holds in memory, in MiB. */
export const memoryOf = (pid: number): number => statusField(pid, 'VmRSS');

/** The most that it ever held, in MiB. */
export const peakMemoryOf = (pid: number): number => statusField(pid, 'VmHWM');

function statusField(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
}

/** What this process keeps, in MiB, in its heap and in buffers, once garbage is collected. */
export function heapMib(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  // What buffers held is given back on another thread, and counted until it has been; a second one waits for that.
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** In MiB: more than delayed garbage collection leaves, less than a growing queue. */
export const SLACK_MIB = 40;

/** The resident memory of a process, in MiB. */
export const memoryOf = (pid: number): number => statusField(pid, 'VmRSS');

/** Its peak resident memory, in MiB. */
export const peakMemoryOf = (pid: number): number => statusField(pid, 'VmHWM');

function statusField(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
}

/** The memory of this process after garbage collection, heap and buffers, in MiB. */
export function heapMib(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  // Memory of buffers is freed on another thread and counted until then; a second collection waits for that.
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

import { readFileSync } from 'node:fs';

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

import { readFileSync } from 'node:fs';

/** More than collecting garbage later leaves, in MiB: a queue that grew would be. */
export const SLACK_MIB = 40;

/** What a process holds in memory, in MiB. */
export function memoryOf(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
}

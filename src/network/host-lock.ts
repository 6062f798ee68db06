import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError, systemCode } from '../errors.ts';
import { type Libc, loadLibc } from './netlink/libc.ts';

/** The process that holds the lock may wait for containers that stop slowly. */
const TIMEOUT_MS = 60_000;
/** sys/file.h */
const LOCK_EX_NB = 2 | 4;

/**
 * Kernel settings of a network namespace that only root may open. Kernels without TCP Fast Open or a BPF compiler lack
 * one of them. Every process that sees the host's /proc finds the same inode, even in a container, and no file remains
 * when it ends. The namespace file would also work, but every user may open and lock it.
 */
const LOCKABLE = ['sys/net/ipv4/tcp_fastopen_key', 'sys/net/core/bpf_jit_harden'] as const;

export interface HostLockOptions {
  /** Where the host's /proc is mounted. */
  readonly procfs: string;
  readonly timeoutMs?: number;
}

/**
 * Runs `work` while holding a lock of this host, which also excludes processes in containers. Without it, two processes
 * that search for a free address at the same time would find the same one.
 * @throws HeddleError `failed` when others hold it for a minute, `not-supported` if the kernel has no file to lock
 */
export async function withHostLock<T>(
  { procfs, timeoutMs = TIMEOUT_MS }: HostLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const libc = await loadLibc();
  const file = openLockable(procfs);
  try {
    await lock(libc, file, timeoutMs);
    return await work();
  } finally {
    closeSync(file);
  }
}

function openLockable(procfs: string): number {
  for (const name of LOCKABLE) {
    try {
      return openSync(join(procfs, name), 'r');
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  throw new HeddleError(
    'not-supported',
    `commands without a daemon cannot exclude each other: ${procfs} has none of ${LOCKABLE.join(', ')}; start a daemon`,
  );
}

async function lock(libc: Libc, file: number, timeoutMs: number): Promise<void> {
  for (const end = performance.now() + timeoutMs; ; await delay(1)) {
    try {
      libc.flock(file, LOCK_EX_NB);
      return;
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
      if (performance.now() > end) {
        const why = `another heddle command without a daemon has been running on this host for ${timeoutMs / 1000} s; try again`;
        throw new HeddleError('failed', why, { cause: error });
      }
    }
  }
}

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError, systemCode } from '../errors.ts';
import { type Libc, loadLibc } from './netlink/libc.ts';

/** Others may be waiting for containers that take their time to stop. */
const TIMEOUT_MS = 60_000;
/** sys/file.h */
const LOCK_EX_NB = 2 | 4;

/**
 * Kernel settings of a network namespace that only root may open; kernels without TCP Fast Open or a BPF compiler lack
 * one of them. Every process that sees the host's /proc finds the same inode, be it in a container, and none is left
 * when it ends. The namespace itself would do as well, but every user may open and lock that.
 */
const LOCKABLE = ['sys/net/ipv4/tcp_fastopen_key', 'sys/net/core/bpf_jit_harden'] as const;

export interface HostLockOptions {
  /** Where the host's /proc is seen. */
  readonly procfs: string;
  readonly timeoutMs?: number;
}

/**
 * Does something while no other process does anything under this lock on the same host, be it in a container: two
 * that look for a free address at once would find the same one.
 * @throws HeddleError `failed` when others hold it for a minute, `not-supported` where the kernel has nothing to lock
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
    `commands without a daemon cannot take turns: ${procfs} has none of ${LOCKABLE.join(', ')}; start a daemon`,
  );
}

async function lock(libc: Libc, file: number, patienceMs: number): Promise<void> {
  for (const end = performance.now() + patienceMs; ; await delay(1)) {
    try {
      libc.flock(file, LOCK_EX_NB);
      return;
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
      if (performance.now() > end) {
        const why = `another heddle command without a daemon has been at work on this host for ${patienceMs / 1000} s; try again`;
        throw new HeddleError('failed', why, { cause: error });
      }
    }
  }
}

import type { Libc } from './netlink/libc.ts';
import type { Namespace } from './netlink/namespace.ts';

/** The last time that a lock was free, for those of us who wait for it. */
interface Queue {
  waiting: number;
  lastFree: number;
}

/** As long as one of our own calls may hold it. */
const STUCK_MS = 500;

/**
 * The locks of namespaces, for all calls of this process. Anybody inside a namespace can hold its lock for ever, and
 * hundreds of containers can share it: one call waits as long as it can, and the others give up once it is stuck.
 */
export class NamespaceLocks {
  readonly #queues = new Map<number, Queue>();

  /** @throws HeddleError `failed` */
  async acquire(libc: Libc, namespace: Namespace): Promise<void> {
    const { inode } = namespace;
    const wait = this.#queues.get(inode) ?? { waiting: 0, lastFree: performance.now() };
    const isFirst = wait.waiting === 0;
    wait.waiting++;
    this.#queues.set(inode, wait);
    try {
      await namespace.lock(libc, undefined, () => isFirst || performance.now() - wait.lastFree < STUCK_MS);
      wait.lastFree = performance.now();
    } finally {
      wait.waiting--;
      if (wait.waiting === 0) this.#queues.delete(inode);
    }
  }
}

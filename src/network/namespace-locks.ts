import type { Libc } from './netlink/libc.ts';
import type { Namespace } from './netlink/namespace.ts';

/** The calls of this process that wait for one lock, and when the lock was last free. */
interface Queue {
  waiting: number;
  lastFree: number;
}

/** The longest time for which one of our own calls holds a lock. */
const STUCK_MS = 500;

/**
 * The namespace locks of this process. A process inside a namespace can hold its lock for ever, and hundreds of
 * containers can share one. So the first call waits for the full timeout; the others fail as soon as the lock is stuck.
 */
export class NamespaceLocks {
  readonly #queues = new Map<number, Queue>();

  /** @throws HeddleError `failed` */
  async acquire(libc: Libc, namespace: Namespace): Promise<void> {
    const { inode } = namespace;
    const queue = this.#queues.get(inode) ?? { waiting: 0, lastFree: performance.now() };
    const isFirst = queue.waiting === 0;
    queue.waiting++;
    this.#queues.set(inode, queue);
    try {
      await namespace.lock(libc, undefined, () => isFirst || performance.now() - queue.lastFree < STUCK_MS);
      queue.lastFree = performance.now();
    } finally {
      queue.waiting--;
      if (queue.waiting === 0) this.#queues.delete(inode);
    }
  }
}

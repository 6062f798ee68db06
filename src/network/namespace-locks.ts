import type { Libc } from './netlink/libc.ts';
import type { Namespace } from './netlink/namespace.ts';

/** The last time that a lock was free, for those of us who wait for it. */
interface Wait {
  count: number;
  freeAt: number;
}

/** As long as one of our own calls may hold it. */
const STUCK_MS = 500;

/**
 * The locks of namespaces, for all calls of this process. Anybody inside a namespace can hold its lock for ever, and
 * hundreds of containers can share it: one call waits as long as it can, and the others give up once it is stuck.
 */
export class NamespaceLocks {
  readonly #waits = new Map<number, Wait>();

  /** @throws HeddleError `failed` */
  async take(libc: Libc, namespace: Namespace): Promise<void> {
    const { inode } = namespace;
    const wait = this.#waits.get(inode) ?? { count: 0, freeAt: performance.now() };
    const isFirst = wait.count === 0;
    wait.count++;
    this.#waits.set(inode, wait);
    try {
      await namespace.lock(libc, undefined, () => isFirst || performance.now() - wait.freeAt < STUCK_MS);
      wait.freeAt = performance.now();
    } finally {
      wait.count--;
      if (wait.count === 0) this.#waits.delete(inode);
    }
  }
}

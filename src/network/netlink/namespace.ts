import { closeSync, fstatSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError, systemCode } from '../../errors.ts';
import { namespaceGone } from './kernel-error.ts';
import type { Libc } from './libc.ts';
import { attribute, attributes, type Request } from './message.ts';
import { RouteSocket } from './route-socket.ts';

/** sys/file.h */
const LOCK_EX_NB = 2 | 4;
const LOCK_TIMEOUT_MS = 5000;
/** Most changes take less. After this time the lock is polled less often. */
const LOCK_TYPICAL_MS = 50;
const LOCK_POLL_MS = 10;

/**
 * A network namespace, held open for the duration of one call. Holding it longer would keep the namespace of a stopped
 * container alive, together with its bridge port.
 */
export class Namespace implements Disposable {
  readonly fd: number;
  readonly inode: number;

  /** @throws HeddleError `not-running` if the path no longer exists */
  constructor(path: string) {
    try {
      this.fd = openSync(path, 'r');
    } catch (error) {
      throw namespaceGone(path, error);
    }
    this.inode = fstatSync(this.fd).ino;
  }

  /**
   * Excludes other heddle processes, and other calls of this process, from changing this namespace until it is disposed.
   * The lock is on the kernel's inode of the namespace, so it needs no file, and a killed process leaves no lock behind.
   * @param mayWait whether to keep waiting; a process inside the namespace may hold the lock for ever
   * @throws HeddleError `failed` when another process holds the lock during the whole timeout
   */
  async lock(libc: Libc, timeoutMs = LOCK_TIMEOUT_MS, mayWait = () => true): Promise<void> {
    for (const began = performance.now(); ; ) {
      if (this.#tryLock(libc)) return;
      const waited = performance.now() - began;
      if (waited > timeoutMs || !mayWait()) {
        const seconds = (waited / 1000).toFixed(1);
        const why = `another process has been changing network namespace ${this.inode} for ${seconds} s; try again`;
        throw new HeddleError('failed', why);
      }
      await delay(waited < LOCK_TYPICAL_MS ? 1 : LOCK_POLL_MS);
    }
  }

  #tryLock(libc: Libc): boolean {
    try {
      libc.flock(this.fd, LOCK_EX_NB);
      return true;
    } catch (error) {
      if (systemCode(error) === 'EAGAIN') return false;
      throw error;
    }
  }

  /** Opens a socket that reads and configures this namespace. */
  connect(libc: Libc): RouteSocket {
    return libc.inNamespace(this.fd, () => new RouteSocket(libc));
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/** linux/rtnetlink.h, linux/net_namespace.h */
const RTM_NSID = { NEW: 88, GET: 90 } as const;
const NETNSA = { NSID: 1, FD: 3 } as const;
/** struct rtgenmsg, padded. */
const HEADER = 4;
const ANY = 0xffff_ffff;

const nsidRequest = (type: number, parts: readonly Buffer[], tolerated: readonly string[] = []): Request => ({
  type,
  flags: 0,
  body: Buffer.concat([Buffer.alloc(HEADER), ...parts]),
  tolerated,
});

/**
 * The id by which kernel messages in our namespace refer to another one. If it has no id yet, one is assigned, because
 * the kernel reports changes only for namespaces with an id.
 */
export function namespaceId(host: RouteSocket, { fd }: Namespace): number | undefined {
  const readId = (): number | undefined => {
    const answer = host.ask(nsidRequest(RTM_NSID.GET, [attribute(NETNSA.FD, fd)]));
    const id = answer && attributes(answer.body, HEADER).get(NETNSA.NSID)?.readInt32LE(0);
    return id === undefined || id < 0 ? undefined : id;
  };
  const id = readId();
  if (id !== undefined) return id;
  const assignId = nsidRequest(
    RTM_NSID.NEW,
    [attribute(NETNSA.NSID, ANY), attribute(NETNSA.FD, fd)],
    ['EEXIST'], // a veth created meanwhile has assigned one
  );
  host.request(assignId);
  return readId();
}

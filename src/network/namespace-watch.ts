import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { messageOf, systemCode } from '../errors.ts';
import type { Logger } from '../runtime/log.ts';
import { ownNamespace } from './container-namespace.ts';
import { ChangeSocket } from './netlink/change-socket.ts';
import { kernelFailure } from './netlink/kernel-error.ts';
import type { Libc } from './netlink/libc.ts';
import { type Namespace, namespaceId } from './netlink/namespace.ts';
import type { RouteSocket } from './netlink/route-socket.ts';
import { Throttle } from './throttle.ts';

/** Called with a namespace's inode; with `undefined` when everything must be read anew. */
export type NamespaceListener = (namespace: number | undefined) => void;

/** `stop` takes at most this long; it also bounds how long a thread of libuv's pool is held. */
const READ_TIMEOUT_MS = 500;
const POLL_MS = 1000;
/** Other work gets its turn in a flood of changes, and most of the time: after so many there is a pause. */
const CHANGES_PER_BATCH = 500;
const PAUSE_MS = 10;
/** An attachment comes to a handful of changes; a container that flaps an address is told of twice a second. */
const ONE_NAMESPACE = { burst: 20, everyMs: 500 };
/** Reading everything, because changes were lost. */
const ALL_NAMESPACES = { burst: 3, everyMs: 5_000 };

/**
 * One for all listeners: it costs one socket and one thread of libuv's pool. The kernel names a namespace by a number
 * of its own; which inode that is, the watch learns whenever the engine reads or attaches a container. Namespaces
 * that were never read since concern nobody, so every listener is first told to read everything.
 */
export class NamespaceWatch {
  readonly #log: Logger;
  readonly #listeners = new Set<NamespaceListener>();
  /** Inode by number. The kernel uses the lowest free number again, so this does not grow beyond the most at once. */
  readonly #inodesById = new Map<number, number>();
  /** Our own namespace has no number. */
  readonly #ownInode = ownNamespace();
  /** True when some namespace's number could not be learnt: then an unknown number may be of interest. */
  #hasUnknownIds = false;
  /** Changes were lost, and go on being lost: the kernel says so once, and adds nothing before its queue is empty. */
  #lostChanges = false;
  readonly #throttleOne = new Throttle<number>((namespace) => this.#notify(namespace), ONE_NAMESPACE);
  readonly #throttleAll = new Throttle<undefined>(() => this.#notify(undefined), ALL_NAMESPACES);
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(needs: { readonly log: Logger }) {
    this.#log = needs.log;
  }

  /** Calls back once at the start and after every change; `stop` resolves when the last listener's socket is closed. */
  add(libc: Libc, listener: NamespaceListener): { stop(): Promise<void> } {
    const own: NamespaceListener = (namespace) => listener(namespace); // the same function may listen twice
    this.#listeners.add(own);
    this.#running ??= this.#start(libc);
    setImmediate(() => this.#listeners.has(own) && this.#callListener(own, undefined));
    return {
      stop: async () => {
        if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
        const running = this.#running;
        this.#running = undefined;
        this.#throttleOne.stop();
        this.#throttleAll.stop();
        running?.stop.abort();
        await running?.ended;
      },
    };
  }

  /** Notes the number of a namespace that is about to be read. */
  learn(host: RouteSocket, namespace: Namespace): void {
    if (!this.#running) return;
    try {
      const id = namespaceId(host, namespace);
      if (id !== undefined) this.#inodesById.set(id, namespace.inode);
    } catch (error) {
      if (!this.#hasUnknownIds)
        this.#log.debug({ problem: messageOf(error) }, 'namespaces cannot be numbered');
      this.#hasUnknownIds = true;
    }
  }

  #start(libc: Libc): { stop: AbortController; ended: Promise<void> } {
    const stop = new AbortController();
    this.#inodesById.clear();
    return { stop, ended: this.#run(libc, stop.signal) };
  }

  async #run(libc: Libc, signal: AbortSignal): Promise<void> {
    try {
      using changes = new ChangeSocket(libc);
      await this.#follow(changes, signal);
    } catch (error) {
      this.#log.warn(
        { problem: kernelFailure('watch for addresses', error).message },
        'reading all addresses once a second instead of hearing of changes',
      );
      await this.#pollInstead(signal);
    }
  }

  async #follow(changes: ChangeSocket, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await changes.readable(READ_TIMEOUT_MS)) {
        const { touched, more } = this.#readChanges(changes);
        for (const namespace of touched) this.#report(namespace);
        if (more) await delay(PAUSE_MS);
      }
      await turn();
    }
  }

  /** What one turn's changes come to: each namespace once. */
  #readChanges(changes: ChangeSocket): {
    readonly touched: ReadonlySet<number | undefined>;
    /** Whether there may be more. */
    readonly more: boolean;
  } {
    const touched = new Set<number | undefined>();
    try {
      for (let count = 0; count < CHANGES_PER_BATCH; count++) {
        const change = changes.next();
        if (!change) {
          if (this.#lostChanges) touched.add(undefined);
          this.#lostChanges = false;
          return { touched, more: false };
        }
        const namespace = change.nsid === undefined ? this.#ownInode : this.#inodesById.get(change.nsid);
        if (namespace !== undefined || this.#hasUnknownIds) touched.add(namespace);
      }
    } catch (error) {
      if (systemCode(error) !== 'ENOBUFS') throw error;
      this.#lostChanges = true;
      return { touched: new Set([undefined]), more: true };
    }
    return { touched, more: true };
  }

  async #pollInstead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) this.#notify(undefined);
    }
  }

  #report(namespace: number | undefined): void {
    if (namespace === undefined) this.#throttleAll.call(undefined);
    else this.#throttleOne.call(namespace);
  }

  #notify(namespace: number | undefined): void {
    for (const listener of this.#listeners) this.#callListener(listener, namespace);
  }

  #callListener(listener: NamespaceListener, namespace: number | undefined): void {
    try {
      listener(namespace);
    } catch (error) {
      this.#log.error({ problem: messageOf(error) }, 'a listener of the address watch failed');
    }
  }
}

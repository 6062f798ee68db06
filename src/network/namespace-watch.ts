import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { messageOf, systemCode } from '../errors.ts';
import type { Logger } from '../runtime/log.ts';
import { pause } from '../runtime/pause.ts';
import { ownNamespace } from './container-namespace.ts';
import { ChangeSocket } from './netlink/change-socket.ts';
import { kernelFailure } from './netlink/kernel-error.ts';
import type { Libc } from './netlink/libc.ts';
import { type Namespace, namespaceId } from './netlink/namespace.ts';
import type { RouteSocket } from './netlink/route-socket.ts';
import { Throttle } from './throttle.ts';

/** Called with a namespace's inode, or with `undefined` when everything must be read again. */
export type NamespaceListener = (namespace: number | undefined) => void;

/** The longest time that `stop` takes, and that one poll occupies a thread of libuv's pool. */
const READ_TIMEOUT_MS = 500;
const POLL_MS = 1000;
/** During a flood of changes, a pause after each batch leaves most of the time to other work. */
const CHANGES_PER_BATCH = 500;
const PAUSE_MS = 10;
/** An attachment causes a handful of changes. A container whose address flaps is reported twice a second. */
const ONE_NAMESPACE = { burst: 20, everyMs: 500 };
/** Full reads after lost changes. */
const ALL_NAMESPACES = { burst: 3, everyMs: 5_000 };

/**
 * Reports changes of links and addresses in all namespaces. All listeners share one watch, which costs one socket and
 * one thread of libuv's pool. The kernel identifies a namespace by an id of its own. The watch learns the inode for that
 * id whenever the engine reads or attaches a container. Changes in namespaces that were never read are ignored, so every
 * listener's first call asks for a full read.
 */
export class NamespaceWatch {
  readonly #log: Logger;
  readonly #listeners = new Set<NamespaceListener>();
  /** The kernel reuses the lowest free id, so this map never exceeds the largest number of namespaces at one time. */
  readonly #inodesById = new Map<number, number>();
  /** Our own namespace has no id. */
  readonly #ownInode = ownNamespace();
  /** True if the id of some namespace could not be read: then a change with an unknown id may be relevant. */
  #hasUnknownIds = false;
  /** The kernel reports an overflow once, then drops all further changes until its queue is empty. */
  #lostChanges = false;
  readonly #throttleOne = new Throttle<number>((namespace) => this.#notify(namespace), ONE_NAMESPACE);
  readonly #throttleAll = new Throttle<undefined>(() => this.#notify(undefined), ALL_NAMESPACES);
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(needs: { readonly log: Logger }) {
    this.#log = needs.log;
  }

  /** Calls back once at the start and after every change. `stop` of the last listener resolves when the socket is closed. */
  add(libc: Libc, listener: NamespaceListener): { stop(): Promise<void> } {
    const own: NamespaceListener = (namespace) => listener(namespace); // the same function may be added twice
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

  /** Records the kernel's id of a namespace that is about to be read. */
  learn(host: RouteSocket, namespace: Namespace): void {
    if (!this.#running) return;
    try {
      const id = namespaceId(host, namespace);
      if (id !== undefined) this.#inodesById.set(id, namespace.inode);
    } catch (error) {
      if (!this.#hasUnknownIds)
        this.#log.debug({ problem: messageOf(error) }, 'cannot read the ids of namespaces');
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
        'cannot subscribe to address changes; reading all addresses once a second',
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

  /** Reads one batch of changes; each namespace appears once. */
  #readChanges(changes: ChangeSocket): {
    readonly touched: ReadonlySet<number | undefined>;
    /** Whether more changes may be queued. */
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
      await pause(POLL_MS, signal);
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

import type { Choice } from '../addresses/choose-address.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import type { Address } from '../network/address.ts';

/** All that heddle knows of one container; services, weave names, reverse names and `ps` derive from it. */
export interface RosterEntry {
  readonly snapshot: Snapshot;
  /** Inode of its network namespace, which several containers can share; undefined when it is not running. */
  readonly namespace: number | undefined;
  /** Addresses in its network namespace; empty when it has none, or is not running. */
  readonly addresses: readonly Address[];
  /** Addresses on our interface that it gave itself; they are not among `addresses`. */
  readonly ignored?: readonly Address[];
  /** The address it is announced at, and why; or why not. */
  readonly choice: Choice;
  /**
   * True while the container is due to be attached and its address is not committed yet, or where it ended while it was
   * looked at: nothing is registered.
   */
  readonly awaitingAddress: boolean;
  /** True from the moment the container is told to stop until it has ended, or outlived its stop timeout. */
  readonly draining?: true;
  /** Why attaching or reading its addresses failed the last time, for `ps` and the log. */
  readonly problem: string | undefined;
}

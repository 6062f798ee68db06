import type { Choice } from '../addresses/choose-address.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import type { Address } from '../network/address.ts';

/** Everything heddle knows about one container; services, weave names, reverse names and `ps` derive from it. */
export interface RosterEntry {
  readonly snapshot: Snapshot;
  /** Inode of its network namespace, which several containers can share; undefined if it is not running. */
  readonly namespace: number | undefined;
  /** Addresses in its network namespace; empty if it has none, or is not running. */
  readonly addresses: readonly Address[];
  /** Addresses on our interface that the container assigned to itself; `addresses` does not contain them. */
  readonly ignored?: readonly Address[];
  /** The address at which it is announced, or why there is none. */
  readonly choice: Choice;
  /**
   * True while the container must be attached but its address is not committed yet, or if the container stopped during
   * its inspection. Then none of its services are registered.
   */
  readonly awaitingAddress: boolean;
  /** True from a stop request until the container has stopped, or has outlived its stop timeout. */
  readonly draining?: true;
  /** Why attaching it or reading its addresses last failed, for `ps` and the log. */
  readonly problem: string | undefined;
}

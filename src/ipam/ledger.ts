import type { Cidr } from '../network/engine.ts';
import type { Durability } from '../state/state.ts';

/**
 * Records which owner has which addresses: the one authority that Claims and Addressing ask. An owner is a container's
 * id, or stands for the exposed bridge. The local ledger keeps the record of one host in its state file. Where several
 * hosts share a range, another implementation asks them as well; one contract suite holds for all.
 *
 * Reads never wait and reflect every earlier call, also one whose promise is still pending: between a read and the
 * write that follows from it, no other caller of this process can take the address. Every write is idempotent. A write
 * resolves when it is durable, and rejects with HeddleError `failed` when it must be durable and cannot be. A rejected
 * write is undone; the writes of others stay.
 */
export interface Ledger {
  /** The owner's addresses, in the order of assignment; undefined for an owner that never had any, or was forgotten. */
  of(owner: string): readonly Cidr[] | undefined;
  /** All owners, also those whose addresses were all taken away. */
  owners(): readonly string[];
  /** Owners of an address, written without prefix: containers of one network namespace can share it. */
  withAddress(ip: string): readonly string[];
  /** The networks of all assigned addresses, each once. */
  networks(): readonly Cidr[];
  /** Addresses the owner released that may still be on its interface. */
  releasing(owner: string): readonly Cidr[];

  /**
   * Assigns addresses to the owner, besides those that it has. No owner is `releasing` them any longer. Assigning what
   * the owner has changes nothing.
   * @throws HeddleError `failed`; `taken` where another host has the address, which the local ledger cannot know
   */
  assign(owner: string, cidrs: readonly Cidr[], durability: Durability): Promise<void>;
  /**
   * Takes addresses away that are on no interface. The owner stays recorded, even without any address: its metadata
   * must not assign again what was taken away. Addresses that it does not have are a success.
   * @throws HeddleError `failed`
   */
  remove(owner: string, cidrs: readonly Cidr[], durability: Durability): Promise<void>;
  /**
   * Takes addresses away that are about to be removed from the owner's interface. They are free at once, and `releasing`
   * until `released`, so that a process that succeeds a killed one can finish. Those of `sharing` that were assigned
   * one of these addresses lose it as well. Always durable.
   * @throws HeddleError `failed`
   */
  release(owner: string, cidrs: readonly Cidr[], sharing: readonly string[]): Promise<void>;
  /** These addresses are off the owner's interface. Never throws: repeating their removal does no harm. */
  released(owner: string, cidrs: readonly Cidr[]): Promise<void>;
  /** Removes the owner and all that it has or releases. Never throws: the next start forgets it as well. */
  forget(owner: string): Promise<void>;
}

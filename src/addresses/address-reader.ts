import { isUnavailable, messageOf } from '../errors.ts';
import type { Address } from '../network/address.ts';
import type { NetworkEngine } from '../network/engine.ts';
import { readProcAddresses } from './proc-net.ts';

export interface AddressReaderNeeds {
  readonly network: Pick<NetworkEngine, 'addresses'>;
  /** Called once, when netlink turns out to be unavailable. */
  warn(message: string): void;
}

/** Reads a container's addresses: from its namespace over netlink if that is permitted, else from `/proc`. */
export class AddressReader {
  readonly #needs: AddressReaderNeeds;
  #warned = false;

  constructor(needs: AddressReaderNeeds) {
    this.#needs = needs;
  }

  /**
   * @param nsPath `/hostproc/1234/ns/net`, of the container's process
   * @param container the container's id; the namespace must still be this container's
   * @throws HeddleError `not-running`, `host-network`
   */
  async read(nsPath: string, container?: string): Promise<readonly Address[]> {
    try {
      return await this.#needs.network.addresses(nsPath, container);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#warnOnce(messageOf(error));
      return readProcAddresses(nsPath.replace(/ns\/net$/, 'net'));
    }
  }

  #warnOnce(why: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#needs.warn(`addresses are read from /proc, which does not always show their interface; ${why}`);
  }
}

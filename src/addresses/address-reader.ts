import { HeddleError } from '../errors.ts';
import type { Address } from '../network/address.ts';
import type { NetworkEngine } from '../network/engine.ts';
import { readProcAddresses } from './proc-net.ts';

export interface AddressReaderNeeds {
  readonly network: Pick<NetworkEngine, 'addresses'>;
  /** Told once, when the better way turns out to be closed. */
  warn(sentence: string): void;
}

/** Reads a container's addresses from its namespace: by netlink where that is allowed, else from `/proc`. */
export class AddressReader {
  readonly #needs: AddressReaderNeeds;
  #warned = false;

  constructor(needs: AddressReaderNeeds) {
    this.#needs = needs;
  }

  /**
   * @param nsPath `/hostproc/1234/ns/net`, of a process that was found to be the container's
   * @param container the container, which it must still be
   * @throws HeddleError `not-running`, `host-network`
   */
  async read(nsPath: string, container?: string): Promise<readonly Address[]> {
    try {
      return await this.#needs.network.addresses(nsPath, container);
    } catch (error) {
      const closed =
        error instanceof HeddleError && (error.code === 'not-permitted' || error.code === 'not-supported');
      if (!closed) throw error;
      this.#warnOnce(error.message);
      return readProcAddresses(nsPath.replace(/ns\/net$/, 'net'));
    }
  }

  #warnOnce(why: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#needs.warn(
      `addresses are read from /proc, which does not always tell on which interface they are; ${why}`,
    );
  }
}

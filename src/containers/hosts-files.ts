import { networkOwner, type Snapshot, shortId } from '../docker/snapshot.ts';
import { HeddleError, isUnavailable } from '../errors.ts';
import { isHostName } from '../hosts-file/entry.ts';
import { withOwnLines, withoutOwnLines } from '../hosts-file/text.ts';
import type { Claims } from '../ipam/claims.ts';
import type { Address } from '../network/address.ts';
import type { NetworkEngine } from '../network/engine.ts';
import type { FoundContainer } from './attachment.ts';

export interface HostsFilesNeeds {
  readonly claims: Pick<Claims, 'of' | 'optionsOf'>;
  readonly network: Pick<NetworkEngine, 'addresses'>;
  /** Edits the /etc/hosts that a running container reads. */
  edit(snapshot: Snapshot, change: (text: string) => string): Promise<void>;
}

/**
 * The /etc/hosts of containers attached with `--rewrite-hosts`: their own names at the addresses of our interface.
 * Docker rewrites the file when a container starts, and adds to it with each network.
 */
export class HostsFiles {
  readonly #needs: HostsFilesNeeds;
  readonly #interface: string;

  constructor(needs: HostsFilesNeeds, options: { readonly interface: string }) {
    this.#needs = needs;
    this.#interface = options.interface;
  }

  /** Checks whether the file can be rewritten. @throws HeddleError `not-supported`, `not-permitted` */
  async check(snapshot: Snapshot): Promise<void> {
    const owner = networkOwner(snapshot);
    if (owner !== undefined) {
      throw new HeddleError(
        'not-supported',
        `'${snapshot.name}' has the network and the /etc/hosts of container ${shortId(owner)}: name that container`,
      );
    }
    namesOf(snapshot);
    await this.#needs.edit(snapshot, (text) => text);
  }

  /**
   * Writes the requested lines with the container's addresses; removes them after it was detached.
   * @throws HeddleError as `check` does, or `failed`
   */
  async keep(snapshot: Snapshot, addresses: readonly Address[]): Promise<void> {
    const { edit, claims } = this.#needs;
    const ips = addresses.filter((address) => address.interface === this.#interface).map(({ ip }) => ip);
    const { hosts } = claims.optionsOf(snapshot.id);
    if (hosts && ips.length > 0) {
      const lines = { names: namesOf(snapshot), ips, entries: hosts };
      await edit(snapshot, (text) => withOwnLines(text, lines));
    } else if (ips.length === 0 && claims.of(snapshot.id)?.length === 0) {
      await this.restore(snapshot);
    }
  }

  /** The same for a container that was just attached: it stays attached, even if the file cannot be written. */
  async complete({ snapshot, nsPath }: FoundContainer): Promise<void> {
    const { claims, network } = this.#needs;
    if (claims.optionsOf(snapshot.id).hosts === undefined) return;
    try {
      await this.keep(snapshot, await network.addresses(nsPath));
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      const message = `${error.message}; its addresses are attached nevertheless`;
      throw new HeddleError(error.code, message, { cause: error });
    }
  }

  /** Removes our lines, if there are any. @throws HeddleError `failed` */
  async restore(snapshot: Snapshot): Promise<void> {
    try {
      await this.#needs.edit(snapshot, withoutOwnLines);
    } catch (error) {
      // A file that we cannot write has no lines of ours.
      if (!isUnavailable(error)) throw error;
    }
  }
}

/** As Docker writes them: the full name, then its first label. */
function namesOf({ name, hostname, domainname }: Snapshot): readonly string[] {
  const full = domainname === '' ? hostname : `${hostname}.${domainname}`;
  if (!isHostName(full)) {
    const message = `the host name of '${name}' is ${JSON.stringify(full)}, which /etc/hosts cannot hold`;
    throw new HeddleError('not-supported', `${message}; start it with another --hostname`);
  }
  return [...new Set([full, full.replace(/\..*$/, '')])];
}

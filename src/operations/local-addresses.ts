import type { Settings } from '../config/schema.ts';
import type { Parts } from '../containers/parts.ts';
import { daemonAt } from '../control/client.ts';
import { HeddleError } from '../errors.ts';
import { type Claims, EXPOSED } from '../ipam/claims.ts';
import { type AddressRequest, ANY_ADDRESS, formatRequest } from '../ipam/request.ts';
import { requestedAddresses } from '../ipam/requested.ts';
import { among, without } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import { withHostLock } from '../network/host-lock.ts';
import { refuseDockerBridge } from './docker-bridge.ts';
import { forgetSavedClaims } from './forget-claims.ts';
import type {
  AddressCommands,
  AttachCommandOptions,
  ExposeOptions,
  OverlapOptions,
} from './host-operations.ts';

/** The error for something that only a daemon can keep. */
export const withoutDaemon = (what: string): HeddleError =>
  new HeddleError(
    'not-running',
    `${what} needs a daemon: start one with heddle launch, or heddle daemon on the host itself; where one runs, ` +
      'omit --local',
  );

export interface LocalAddressesNeeds {
  readonly parts: Parts;
  /** A copy of the daemon's saved claims. What this process adds is lost when it ends. */
  readonly claims: Claims;
  /** Scans every container for the addresses that it has. */
  fullScan(): Promise<unknown>;
}

/**
 * The address commands without a daemon: assigned addresses work, but nothing records them. A lock on the host keeps
 * other processes out, from the scan for taken addresses until the end of the command.
 */
export class LocalAddresses implements AddressCommands {
  readonly #needs: LocalAddressesNeeds;
  readonly #settings: Pick<Settings, 'stateDir' | 'socket' | 'procfs'>;

  constructor(needs: LocalAddressesNeeds, settings: Pick<Settings, 'stateDir' | 'socket' | 'procfs'>) {
    this.#needs = needs;
    this.#settings = settings;
  }

  attach(
    container: string,
    requests: readonly AddressRequest[],
    options?: AttachCommandOptions,
  ): Promise<readonly Cidr[]> {
    return withHostLock(this.#settings, () => this.#attach(container, requests, options));
  }

  async detach(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, fullScan } = this.#needs;
    await fullScan();
    const what = requests.map(formatRequest).join(' ');
    const { snapshot, removed } = await parts.attachment.detach(container, what, ({ snapshot }) =>
      parts.addressing.meant(snapshot.id, requests),
    );
    // Nothing records which lines the remaining addresses had in /etc/hosts, so all of heddle's lines go.
    await parts.hostsFiles.restore(snapshot);
    return removed;
  }

  async start(
    container: string,
    requests: readonly AddressRequest[],
    options?: OverlapOptions,
  ): Promise<readonly Cidr[]> {
    const { docker } = this.#needs.parts;
    const snapshot = await docker.find(container);
    const metadata = requestedAddresses(snapshot);
    if (requests.length === 0 && metadata.problem !== undefined) {
      throw new HeddleError('refused', metadata.problem);
    }
    const requested = requests.length > 0 ? requests : metadata.requests;
    const effective = requested.length > 0 ? requested : [ANY_ADDRESS];
    return await withHostLock(this.#settings, async () => {
      await this.check(effective, options);
      await docker.start(snapshot);
      return await this.#attach(snapshot.id, effective, options);
    });
  }

  async restart(container: string): Promise<readonly Cidr[]> {
    const { parts, fullScan } = this.#needs;
    const snapshot = await parts.docker.find(container);
    return await withHostLock(this.#settings, async () => {
      await fullScan();
      const before = parts.addressing.addressesOf(snapshot.id);
      await parts.docker.restart(snapshot);
      const attached = await parts.attachment.attach(snapshot.id, 'its addresses', async () => before);
      await parts.hostsFiles.complete(attached);
      return before;
    });
  }

  async expose(
    requests: readonly AddressRequest[],
    { name, masquerade = true, allowOverlap }: ExposeOptions = {},
  ): Promise<readonly Cidr[]> {
    const { parts, claims, fullScan } = this.#needs;
    if (name !== undefined) throw withoutDaemon('a name for exposed addresses');
    return await withHostLock(this.#settings, async () => {
      await fullScan();
      const before = await parts.addressing.has(EXPOSED);
      const cidrs = await parts.addressing.claim(EXPOSED, requests, { allowOverlap });
      await claims.masquerade(cidrs, masquerade);
      const options = { unmasqueraded: claims.unmasqueraded() };
      try {
        await parts.network.expose(cidrs, options);
      } catch (error) {
        await parts.network.hide(without(cidrs, before), options).catch(() => {});
        throw error;
      }
      return cidrs;
    });
  }

  async hide(requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, claims } = this.#needs;
    const before = await parts.addressing.has(EXPOSED);
    const cidrs = await parts.addressing.meant(EXPOSED, requests);
    await parts.network.hide(cidrs, { unmasqueraded: claims.unmasqueraded() });
    return among(cidrs, before);
  }

  async check(requests: readonly AddressRequest[], options?: OverlapOptions): Promise<void> {
    const { parts, fullScan } = this.#needs;
    await fullScan();
    await parts.addressing.check(requests, options);
  }

  async reset({ force }: { readonly force: boolean }): Promise<string | undefined> {
    const { parts } = this.#needs;
    const { socket, stateDir } = this.#settings;
    if (await daemonAt(socket)) {
      throw new HeddleError(
        'refused',
        `the daemon at ${socket} would restore every address; stop it, or omit --local`,
      );
    }
    if (!force) await refuseDockerBridge(parts);
    // While the engine is down, only the containers in the saved state are found.
    const containers = await parts.docker.containers().catch(() => []);
    const forgotten = await forgetSavedClaims(
      stateDir,
      containers.map(({ id }) => id),
    );
    await parts.network.removeBridge();
    return forgotten
      ? undefined
      : `no daemon has saved claims in ${stateDir}; claims in another state folder remain`;
  }

  async #attach(
    container: string,
    requests: readonly AddressRequest[],
    { allowOverlap, ...options }: AttachCommandOptions = {},
  ): Promise<readonly Cidr[]> {
    const { parts, fullScan } = this.#needs;
    await fullScan();
    const what = requests.map(formatRequest).join(' ');
    const attached = await parts.attachment.attach(
      container,
      what,
      async ({ snapshot, nsPath, namespace }) => {
        if (options.hosts) await parts.hostsFiles.check(snapshot);
        const place = { path: nsPath, inode: namespace };
        return await parts.addressing.claim(snapshot.id, requests, { place, attach: options, allowOverlap });
      },
    );
    await parts.hostsFiles.complete(attached);
    return attached.cidrs;
  }
}

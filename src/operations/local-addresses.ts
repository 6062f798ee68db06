import type { Settings } from '../config/schema.ts';
import type { Parts } from '../containers/parts.ts';
import { daemonAt } from '../control/client.ts';
import { HeddleError } from '../errors.ts';
import { type Claims, EXPOSED } from '../ipam/claims.ts';
import { type AddressRequest, ANY_ADDRESS, formatRequest } from '../ipam/request.ts';
import { requestedAddresses } from '../ipam/requested.ts';
import { among, without } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import { oneAtATime } from '../network/host-lock.ts';
import { refuseDockerBridge } from './docker-bridge.ts';
import { forgetSavedClaims } from './forget-claims.ts';
import type {
  AddressCommands,
  AttachCommandOptions,
  ExposeOptions,
  OverlapOptions,
} from './host-operations.ts';

/** What only a daemon remembers. */
export const withoutDaemon = (what: string): HeddleError =>
  new HeddleError(
    'not-running',
    `${what} is kept by a daemon: start one with heddle launch, or heddle daemon on the host itself; where one ` +
      'runs, leave --local out',
  );

export interface LocalAddressesNeeds {
  readonly parts: Parts;
  /** What a daemon has left behind; what is added ends with this process. */
  readonly claims: Claims;
  /** Looks at every container, so that it is known who has which address. */
  fullScan(): Promise<unknown>;
}

/**
 * The words that give and take addresses, without a daemon: what is given is there, and remembered by nobody. From the
 * look at who has what to the end no other process does the same.
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
    return oneAtATime(this.#settings, () => this.#attach(container, requests, options));
  }

  async detach(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, fullScan } = this.#needs;
    await fullScan();
    const words = requests.map(formatRequest).join(' ');
    const { snapshot, removed } = await parts.attachment.detach(container, words, ({ snapshot }) =>
      parts.addressing.meant(snapshot.id, requests),
    );
    // Nobody remembers what the lines were to say with the addresses that are left.
    await parts.hostsFiles.restore(snapshot);
    return removed;
  }

  async start(
    container: string,
    requests: readonly AddressRequest[],
    wishes?: OverlapOptions,
  ): Promise<readonly Cidr[]> {
    const { docker } = this.#needs.parts;
    const snapshot = await docker.find(container);
    const due = requestedAddresses(snapshot);
    if (requests.length === 0 && due.problem !== undefined) throw new HeddleError('refused', due.problem);
    const given = requests.length > 0 ? requests : due.requests;
    const asked = given.length > 0 ? given : [ANY_ADDRESS];
    return await oneAtATime(this.#settings, async () => {
      await this.check(asked, wishes);
      await docker.start(snapshot);
      return await this.#attach(snapshot.id, asked, wishes);
    });
  }

  async restart(container: string): Promise<readonly Cidr[]> {
    const { parts, fullScan } = this.#needs;
    const snapshot = await parts.docker.find(container);
    return await oneAtATime(this.#settings, async () => {
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
    if (name !== undefined) throw withoutDaemon('the name of what is exposed');
    return await oneAtATime(this.#settings, async () => {
      await fullScan();
      const had = await parts.addressing.has(EXPOSED);
      const cidrs = await parts.addressing.claim(EXPOSED, requests, { allowOverlap });
      await claims.masquerade(cidrs, masquerade);
      const options = { unmasqueraded: claims.unmasqueraded() };
      try {
        await parts.network.expose(cidrs, options);
      } catch (error) {
        await parts.network.hide(without(cidrs, had), options).catch(() => {});
        throw error;
      }
      return cidrs;
    });
  }

  async hide(requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, claims } = this.#needs;
    const had = await parts.addressing.has(EXPOSED);
    const cidrs = await parts.addressing.meant(EXPOSED, requests);
    await parts.network.hide(cidrs, { unmasqueraded: claims.unmasqueraded() });
    return among(cidrs, had);
  }

  async check(requests: readonly AddressRequest[], wishes?: OverlapOptions): Promise<void> {
    const { parts, fullScan } = this.#needs;
    await fullScan();
    await parts.addressing.check(requests, wishes);
  }

  async reset({ force }: { readonly force: boolean }): Promise<string | undefined> {
    const { parts } = this.#needs;
    const { socket, stateDir } = this.#settings;
    if (await daemonAt(socket)) {
      const message = `the daemon behind ${socket} would give everything back; stop it, or leave --local out`;
      throw new HeddleError('refused', message);
    }
    if (!force) await refuseDockerBridge(parts);
    // Those of an engine that is away are left to what the state knows of them.
    const containers = await parts.docker.containers().catch(() => []);
    const forgotten = await forgetSavedClaims(
      stateDir,
      containers.map(({ id }) => id),
    );
    await parts.network.removeBridge();
    return forgotten ? undefined : `no daemon has kept claims in ${stateDir}; those kept elsewhere stay`;
  }

  async #attach(
    container: string,
    requests: readonly AddressRequest[],
    { allowOverlap, ...options }: AttachCommandOptions = {},
  ): Promise<readonly Cidr[]> {
    const { parts, fullScan } = this.#needs;
    await fullScan();
    const words = requests.map(formatRequest).join(' ');
    const attached = await parts.attachment.attach(
      container,
      words,
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

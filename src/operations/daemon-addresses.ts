import type { FoundContainer } from '../containers/attachment.ts';
import type { Follower } from '../containers/follow.ts';
import type { Parts } from '../containers/parts.ts';
import type { WeaveNames } from '../dns/names/weave-names.ts';
import { HeddleError } from '../errors.ts';
import type { Place } from '../ipam/addressing.ts';
import { type Claims, EXPOSED } from '../ipam/claims.ts';
import { type AddressRequest, ANY_ADDRESS, formatRequest } from '../ipam/request.ts';
import type { BridgeRepair } from '../network/bridge-repair.ts';
import { among, without } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { Roster } from '../roster/roster.ts';
import { refuseDockerBridge } from './docker-bridge.ts';
import type {
  AddressCommands,
  AttachCommandOptions,
  ExposeOptions,
  OverlapOptions,
} from './host-operations.ts';

export interface DaemonAddressesNeeds {
  readonly parts: Parts;
  readonly claims: Claims;
  readonly roster: Roster;
  readonly follower: Pick<Follower, 'inspect'>;
  readonly containerNames: Pick<WeaveNames, 'fullName' | 'add' | 'remove' | 'forget'>;
  readonly keeper: Pick<BridgeRepair, 'exclusively'>;
  readonly names: { listenOnBridges(): Promise<void> };
}

/** The address commands in the daemon: assigned addresses are saved, and assigned again when a container starts. */
export class DaemonAddresses implements AddressCommands {
  readonly #needs: DaemonAddressesNeeds;

  constructor(needs: DaemonAddressesNeeds) {
    this.#needs = needs;
  }

  async attach(
    container: string,
    requests: readonly AddressRequest[],
    { allowOverlap, ...options }: AttachCommandOptions = {},
  ): Promise<readonly Cidr[]> {
    const { parts, claims, follower } = this.#needs;
    let undoClaim = async (): Promise<void> => {};
    const attached = parts.attachment.attach(container, formatRequests(requests), async (found) => {
      const { id } = found.snapshot;
      if (options.hosts) await parts.hostsFiles.check(found.snapshot);
      // Read what its metadata requests before the first claim, which replaces the metadata.
      const before = (await parts.addressing.wanted(found.snapshot, placeOf(found))).cidrs;
      const optionsBefore = claims.optionsOf(id);
      const claimed = await parts.addressing.claim(id, requests, {
        place: placeOf(found),
        attach: options,
        allowOverlap,
      });
      undoClaim = () => claims.remove(id, without(claimed, before), optionsBefore, 'later');
      return claimed;
    });
    const found = await attached.catch(async (error: unknown) => {
      await undoClaim();
      throw error;
    });
    await parts.hostsFiles.complete(found);
    await follower.inspect(found.snapshot.id);
    return found.cidrs;
  }

  async detach(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, claims, roster, follower } = this.#needs;
    const stopped = await parts.docker.inspect(container);
    // A stopped container has no addresses, only claims.
    const claimedWhileStopped = stopped?.pid === 0 ? claims.of(stopped.id) : undefined;
    if (stopped && claimedWhileStopped) {
      const cidrs = await parts.addressing.meant(stopped.id, requests);
      await claims.remove(stopped.id, cidrs);
      return among(cidrs, claimedWhileStopped);
    }
    let sharing: readonly string[] = [];
    let claimed: readonly Cidr[] = [];
    const { snapshot, cidrs, removed } = await parts.attachment.detach(
      container,
      formatRequests(requests),
      async (found) => {
        const { id } = found.snapshot;
        claimed = (await parts.addressing.wanted(found.snapshot, placeOf(found))).cidrs;
        const releasing = await parts.addressing.meant(id, requests);
        sharing = found.namespace === undefined ? [] : roster.inNamespace(found.namespace);
        // First end the claims of all containers in the namespace, or an inspection in between assigns them again.
        await claims.release(id, releasing, sharing);
        return releasing;
      },
    );
    await claims.released(snapshot.id, cidrs);
    await Promise.all(Array.from(new Set([snapshot.id, ...sharing]), (id) => follower.inspect(id)));
    return among(cidrs, [...removed, ...claimed]);
  }

  async start(
    container: string,
    requests: readonly AddressRequest[],
    options: OverlapOptions = {},
  ): Promise<readonly Cidr[]> {
    const { parts, claims } = this.#needs;
    const snapshot = await parts.docker.find(container);
    if (snapshot.pid > 0)
      return this.attach(snapshot.id, this.#requestsOrClaimed(snapshot.id, requests), options);
    // Claim before the start, so that a taken address fails the command before anything has changed.
    const before = (await parts.addressing.wanted(snapshot, {})).cidrs;
    const claimed =
      requests.length > 0 ? await parts.addressing.claim(snapshot.id, requests, options) : before;
    try {
      await parts.docker.start(snapshot);
    } catch (error) {
      if (requests.length > 0) await claims.remove(snapshot.id, without(claimed, before), undefined, 'later');
      throw error;
    }
    return this.#reattach(snapshot.id, ANY_ADDRESS);
  }

  async restart(container: string): Promise<readonly Cidr[]> {
    const { parts } = this.#needs;
    const snapshot = await parts.docker.find(container);
    await parts.docker.restart(snapshot);
    return this.#reattach(snapshot.id);
  }

  async expose(
    requests: readonly AddressRequest[],
    { name, masquerade = true, allowOverlap }: ExposeOptions = {},
  ): Promise<readonly Cidr[]> {
    const { parts, claims, containerNames, keeper } = this.#needs;
    if (name !== undefined) containerNames.fullName(name); // throws for a bad name, before any change
    const before = await parts.addressing.has(EXPOSED);
    const claimedBefore = claims.of(EXPOSED) ?? [];
    const unmasqueraded = claims.unmasqueraded();
    const cidrs = await parts.addressing.claim(EXPOSED, requests, { allowOverlap });
    // One turn for all steps: a check of the bridge in between would restore the addresses that an undo removes.
    await keeper.exclusively(async () => {
      try {
        await claims.masquerade(cidrs, masquerade);
        await parts.network.expose(cidrs, { unmasqueraded: claims.unmasqueraded() });
        if (name !== undefined) await containerNames.add({ ips: ipsOf(cidrs), container: EXPOSED, name });
      } catch (error) {
        await claims.masquerade(cidrs, true, 'later');
        await claims.masquerade(unmasqueraded, false, 'later');
        await claims.remove(EXPOSED, without(cidrs, claimedBefore), undefined, 'later');
        // If the undo fails too, the first error is the one to report.
        await parts.network.hide(without(cidrs, before), { unmasqueraded }).catch(() => {});
        throw error;
      }
    });
    await this.#needs.names.listenOnBridges();
    return cidrs;
  }

  async hide(requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, claims, containerNames, keeper } = this.#needs;
    const before = await parts.addressing.has(EXPOSED);
    const cidrs = await parts.addressing.meant(EXPOSED, requests);
    await claims.release(EXPOSED, cidrs);
    if (cidrs.length > 0) await containerNames.remove({ ips: ipsOf(cidrs), container: EXPOSED }, 'later');
    await keeper.exclusively(() => parts.network.hide(cidrs, { unmasqueraded: claims.unmasqueraded() }));
    await claims.released(EXPOSED, cidrs);
    return among(cidrs, before);
  }

  check(requests: readonly AddressRequest[], options: OverlapOptions = {}): Promise<void> {
    return this.#needs.parts.addressing.check(requests, options);
  }

  async reset({ force }: { readonly force: boolean }): Promise<undefined> {
    const { parts, claims, roster, containerNames, keeper } = this.#needs;
    if (!force) await refuseDockerBridge(parts);
    await claims.forget(EXPOSED);
    await containerNames.forget(EXPOSED);
    // Recorded as detached by command, or the next inspection assigns the addresses that their labels request.
    for (const { snapshot } of roster.entries()) await claims.clear(snapshot.id);
    await keeper.exclusively(() => parts.network.removeBridge());
  }

  /** Without requests: the claimed addresses of the owner, else any address. */
  #requestsOrClaimed(owner: string, requests: readonly AddressRequest[]): readonly AddressRequest[] {
    if (requests.length > 0) return requests;
    const claimed = this.#needs.claims.of(owner) ?? [];
    return claimed.length > 0 ? claimed.map((cidr) => ({ kind: 'exact', cidr })) : [ANY_ADDRESS];
  }

  /** Assigns the addresses that a container has claimed or requests, or else `fallback`, after a start. */
  async #reattach(container: string, fallback?: AddressRequest): Promise<readonly Cidr[]> {
    const { parts, follower } = this.#needs;
    const { cidrs } = await parts.attachment.attach(container, 'its addresses', async (found) => {
      const wanted = await parts.addressing.wanted(found.snapshot, placeOf(found));
      if (wanted.problem !== undefined) throw new HeddleError('refused', wanted.problem);
      if (wanted.cidrs.length > 0 || !fallback) return wanted.cidrs;
      return parts.addressing.claim(container, [fallback], { place: placeOf(found) });
    });
    await follower.inspect(container);
    return cidrs;
  }
}

const formatRequests = (requests: readonly AddressRequest[]): string => requests.map(formatRequest).join(' ');

const placeOf = ({ nsPath, namespace }: FoundContainer): Place => ({ path: nsPath, inode: namespace });

const ipsOf = (cidrs: readonly Cidr[]): readonly string[] => cidrs.map(({ ip }) => ip);

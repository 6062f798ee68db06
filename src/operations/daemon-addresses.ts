import type { FoundContainer } from '../containers/attachment.ts';
import type { Follower } from '../containers/follow.ts';
import type { Parts } from '../containers/parts.ts';
import type { WeaveNames } from '../dns/names/weave-names.ts';
import { HeddleError } from '../errors.ts';
import type { Place } from '../ipam/addressing.ts';
import { type Claims, EXPOSED } from '../ipam/claims.ts';
import { type AddressRequest, ANY_ADDRESS, formatRequest } from '../ipam/request.ts';
import type { BridgeKeeper } from '../network/bridge-keeper.ts';
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
  readonly follower: Pick<Follower, 'look'>;
  readonly containerNames: Pick<WeaveNames, 'fullName' | 'add' | 'remove' | 'forget'>;
  readonly keeper: Pick<BridgeKeeper, 'between'>;
  readonly names: { listenOnBridges(): Promise<void> };
}

/** The words that give and take addresses, in the daemon: what is given is remembered, and given back. */
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
    let takeBack = async (): Promise<void> => {};
    const attached = parts.attachment.attach(container, formatRequests(requests), async (found) => {
      const { id } = found.snapshot;
      if (options.hosts) await parts.hostsFiles.check(found.snapshot);
      // Its own metadata first: from the first claim on it counts no longer.
      const before = (await parts.addressing.wanted(found.snapshot, placeOf(found))).cidrs;
      const optionsBefore = claims.optionsOf(id);
      const claimed = await parts.addressing.claim(id, requests, {
        place: placeOf(found),
        attach: options,
        allowOverlap,
      });
      takeBack = () => claims.remove(id, without(claimed, before), optionsBefore, 'later');
      return claimed;
    });
    const found = await attached.catch(async (error: unknown) => {
      await takeBack();
      throw error;
    });
    await parts.hostsFiles.complete(found);
    await follower.look(found.snapshot.id);
    return found.cidrs;
  }

  async detach(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, claims, roster, follower } = this.#needs;
    const stopped = await parts.docker.inspect(container);
    // One that does not run has nothing but its claim.
    const kept = stopped?.pid === 0 ? claims.of(stopped.id) : undefined;
    if (stopped && kept) {
      const cidrs = await parts.addressing.meant(stopped.id, requests);
      await claims.remove(stopped.id, cidrs);
      return among(cidrs, kept);
    }
    let sharing: readonly string[] = [];
    let claimed: readonly Cidr[] = [];
    const { snapshot, cidrs, removed } = await parts.attachment.detach(
      container,
      formatRequests(requests),
      async (found) => {
        const { id } = found.snapshot;
        claimed = (await parts.addressing.wanted(found.snapshot, placeOf(found))).cidrs;
        const meant = await parts.addressing.meant(id, requests);
        sharing = found.namespace === undefined ? [] : roster.inNamespace(found.namespace);
        // Given up first, by everybody who is there: a look in between must not give it back.
        await claims.giveUp(id, meant, sharing);
        return meant;
      },
    );
    await claims.gone(snapshot.id, cidrs);
    await Promise.all(Array.from(new Set([snapshot.id, ...sharing]), (id) => follower.look(id)));
    return among(cidrs, [...removed, ...claimed]);
  }

  async start(
    container: string,
    requests: readonly AddressRequest[],
    wishes: OverlapOptions = {},
  ): Promise<readonly Cidr[]> {
    const { parts, claims } = this.#needs;
    const snapshot = await parts.docker.find(container);
    if (snapshot.pid > 0)
      return this.attach(snapshot.id, this.#requestsOrClaimed(snapshot.id, requests), wishes);
    // Claimed before it starts: what somebody has is refused while nothing has happened yet.
    const before = (await parts.addressing.wanted(snapshot, {})).cidrs;
    const claimed =
      requests.length > 0 ? await parts.addressing.claim(snapshot.id, requests, wishes) : before;
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
    if (name !== undefined) containerNames.fullName(name); // refused before anything is given
    const had = await parts.addressing.has(EXPOSED);
    const claimedBefore = claims.of(EXPOSED) ?? [];
    const unmasqueraded = claims.unmasqueraded();
    const cidrs = await parts.addressing.claim(EXPOSED, requests, { allowOverlap });
    // All of it in one turn: a look in between would give again what is being taken back.
    await keeper.between(async () => {
      try {
        await claims.masquerade(cidrs, masquerade);
        await parts.network.expose(cidrs, { unmasqueraded: claims.unmasqueraded() });
        if (name !== undefined) await containerNames.add({ ips: ipsOf(cidrs), container: EXPOSED, name });
      } catch (error) {
        await claims.masquerade(cidrs, true, 'later');
        await claims.masquerade(unmasqueraded, false, 'later');
        await claims.remove(EXPOSED, without(cidrs, claimedBefore), undefined, 'later');
        // Where even that fails, the first failure is the one to tell.
        await parts.network.hide(without(cidrs, had), { unmasqueraded }).catch(() => {});
        throw error;
      }
    });
    await this.#needs.names.listenOnBridges();
    return cidrs;
  }

  async hide(requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, claims, containerNames, keeper } = this.#needs;
    const had = await parts.addressing.has(EXPOSED);
    const cidrs = await parts.addressing.meant(EXPOSED, requests);
    await claims.giveUp(EXPOSED, cidrs);
    if (cidrs.length > 0) await containerNames.remove({ ips: ipsOf(cidrs), container: EXPOSED }, 'later');
    await keeper.between(() => parts.network.hide(cidrs, { unmasqueraded: claims.unmasqueraded() }));
    await claims.gone(EXPOSED, cidrs);
    return among(cidrs, had);
  }

  check(requests: readonly AddressRequest[], wishes: OverlapOptions = {}): Promise<void> {
    return this.#needs.parts.addressing.check(requests, wishes);
  }

  async reset({ force }: { readonly force: boolean }): Promise<undefined> {
    const { parts, claims, roster, containerNames, keeper } = this.#needs;
    if (!force) await refuseDockerBridge(parts);
    await claims.forget(EXPOSED);
    await containerNames.forget(EXPOSED);
    // Detached as by hand, or the next look would give back what their labels ask for.
    for (const { snapshot } of roster.entries()) await claims.clear(snapshot.id);
    await keeper.between(() => parts.network.removeBridge());
  }

  /** Without requests: what it has, else any. */
  #requestsOrClaimed(owner: string, requests: readonly AddressRequest[]): readonly AddressRequest[] {
    if (requests.length > 0) return requests;
    const claimed = this.#needs.claims.of(owner) ?? [];
    return claimed.length > 0 ? claimed.map((cidr) => ({ kind: 'exact', cidr })) : [ANY_ADDRESS];
  }

  /** What it should have after a start, and `otherwise` where that is nothing. */
  async #reattach(container: string, otherwise?: AddressRequest): Promise<readonly Cidr[]> {
    const { parts, follower } = this.#needs;
    const { cidrs } = await parts.attachment.attach(container, 'its addresses', async (found) => {
      const wanted = await parts.addressing.wanted(found.snapshot, placeOf(found));
      if (wanted.problem !== undefined) throw new HeddleError('refused', wanted.problem);
      if (wanted.cidrs.length > 0 || !otherwise) return wanted.cidrs;
      return parts.addressing.claim(container, [otherwise], { place: placeOf(found) });
    });
    await follower.look(container);
    return cidrs;
  }
}

const formatRequests = (requests: readonly AddressRequest[]): string => requests.map(formatRequest).join(' ');

const placeOf = ({ nsPath, namespace }: FoundContainer): Place => ({ path: nsPath, inode: namespace });

const ipsOf = (cidrs: readonly Cidr[]): readonly string[] => cidrs.map(({ ip }) => ip);

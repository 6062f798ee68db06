import type { AddressReader } from '../addresses/address-reader.ts';
import type { Docker } from '../docker/engine.ts';
import { networkOwner, type Snapshot } from '../docker/snapshot.ts';
import { HeddleError, messageOf } from '../errors.ts';
import type { Address } from '../network/address.ts';
import { contains, distinct, formatCidr, networkOf, toCidr, without } from '../network/cidr.ts';
import type { FoundNamespace } from '../network/container-namespace.ts';
import type { Cidr, HostNetwork, NetworkEngine } from '../network/engine.ts';
import type { Roster } from '../roster/roster.ts';
import type { AttachOptions } from '../state/attach-options.ts';
import type { Durability } from '../state/state.ts';
import { type Claims, EXPOSED } from './claims.ts';
import { AddressTaken, grant, type Holder, meant } from './grant.ts';
import { Holders, type OtherAddresses } from './holders.ts';
import { refuseCollisions, type UsedNetworks } from './overlap.ts';
import { type Pool, poolOf } from './pool.ts';
import type { AddressRequest } from './request.ts';
import { namedAddresses, requestedAddresses } from './requested.ts';

export interface AddressingNeeds {
  readonly claims: Claims;
  readonly roster: Pick<Roster, 'get' | 'entries' | 'delete' | 'inNamespace' | 'withAddress'> &
    Readonly<Pick<Roster, 'complete'>>;
  readonly docker: Pick<Docker, 'inspect'>;
  readonly network: Pick<NetworkEngine, 'hostAddresses'>;
  /** Networks that this host reaches by a device other than our bridge. */
  hostNetworks(): Promise<readonly HostNetwork[]>;
  readonly reader: Pick<AddressReader, 'read'>;
}

/** The addresses that a container should have. */
export interface Wanted {
  readonly cidrs: readonly Cidr[];
  /** Why it does not get what its metadata requests. */
  readonly problem: string | undefined;
  /** True when it requested addresses, and none can be assigned now. */
  readonly refused: boolean;
}

export interface AddressOwner {
  /** A container's id, or EXPOSED. */
  readonly owner: string;
  /** The container's name, where it is known. */
  readonly name: string;
  readonly running: boolean;
  /** `10.32.0.1/12` */
  readonly addresses: readonly string[];
}

/** A container's network namespace, as far as it is known; empty for a container that does not run. */
export interface Place extends Partial<FoundNamespace> {
  /** Its addresses there, if they have just been read. */
  readonly addresses?: readonly Address[] | undefined;
}

export interface ClaimOptions {
  readonly place?: Place;
  /** How it is attached, where that changes; absent options stay as they are. */
  readonly attach?: AttachOptions | undefined;
  /** Assign addresses even in a network that the host or the container uses for something else. */
  readonly allowOverlap?: boolean | undefined;
  readonly durability?: Durability;
}

export interface AddressingOptions {
  readonly range: Cidr;
  /** Undefined for the whole range. */
  readonly defaultSubnet: Cidr | undefined;
  readonly bridge: string;
  /** Name of our interface in a container: `ethwe`. */
  readonly interface: string;
  /** Networks of this host may be used for containers as well. */
  readonly allowOverlap: boolean;
}

/** Assigns addresses to owners: claims stay, an address of another owner is refused, and free addresses are found. */
export class Addressing {
  readonly #needs: AddressingNeeds;
  readonly #holders: Holders;
  readonly #pool: Pool;
  readonly #options: AddressingOptions;

  constructor(needs: AddressingNeeds, options: AddressingOptions) {
    this.#needs = needs;
    this.#options = options;
    this.#holders = new Holders(needs, options);
    this.#pool = poolOf(options.range, options.defaultSubnet);
  }

  get pool(): Pool {
    return this.#pool;
  }

  /**
   * What a running container should have: its claim, else what its metadata requests, which becomes its claim.
   * @param place its network namespace: containers in the same one share their addresses
   */
  async wanted(snapshot: Snapshot, place: Place): Promise<Wanted> {
    const claimed = this.#needs.claims.of(snapshot.id);
    if (claimed) return { cidrs: claimed, problem: undefined, refused: false };
    const { requests, problem } = requestedAddresses(snapshot);
    if (requests.length === 0) return { cidrs: [], problem, refused: false };
    try {
      // The metadata can be read again at any time, so a full disk must not keep a container off the network.
      const cidrs = await this.claim(snapshot.id, requests, { place, durability: 'later' });
      return { cidrs, problem, refused: false };
    } catch (error) {
      // A container that has ended in the meantime was refused nothing.
      if (!(error instanceof HeddleError) || error.code === 'not-running') throw error;
      return { cidrs: [], problem: messageOf(error), refused: true };
    }
  }

  /**
   * Claims addresses that a container had before the daemon started: the original weave, or a command with `--local`,
   * attached it. What another program attaches later stays unclaimed: that program takes it away itself.
   */
  async adopt(snapshot: Snapshot, addresses: readonly Address[]): Promise<void> {
    const { claims, roster } = this.#needs;
    if (roster.complete || claims.of(snapshot.id) || networkOwner(snapshot) !== undefined) return;
    const cidrs = this.#attached(addresses);
    if (cidrs.length > 0) await claims.add(snapshot.id, cidrs, {}, 'later');
  }

  /** What a container should have, for a process that does not attach: claims nothing. */
  expected(snapshot: Snapshot): Wanted {
    const { requests, problem } = requestedAddresses(snapshot);
    return {
      cidrs: this.#needs.claims.of(snapshot.id) ?? namedAddresses(requests),
      problem,
      refused: false,
    };
  }

  /**
   * Assigns these addresses to the owner; resolves when that is on disk. The same requests get the same addresses.
   * @throws HeddleError `taken`, `bad-input`, `refused`, `unreachable` before the roster is complete, or `failed` where it
   * must be kept and cannot be
   */
  async claim(
    owner: string,
    requests: readonly AddressRequest[],
    { place = {}, attach, allowOverlap = false, durability }: ClaimOptions = {},
  ): Promise<readonly Cidr[]> {
    const allowed = allowOverlap || this.#options.allowOverlap;
    const situation = await this.#situation(place);
    const { cidrs, kept } = await this.#retrying(() => {
      const granted = this.#grant(owner, requests, situation, allowed);
      return { cidrs: granted, kept: this.#needs.claims.add(owner, granted, attach, durability) };
    });
    await kept;
    return cidrs;
  }

  /** Checks whether a new container could have these addresses. @throws HeddleError as `claim` does */
  async check(
    requests: readonly AddressRequest[],
    { allowOverlap = false }: ClaimOptions = {},
  ): Promise<void> {
    const allowed = allowOverlap || this.#options.allowOverlap;
    const situation = await this.#situation({});
    await this.#retrying(() => this.#grant('', requests, situation, allowed));
  }

  /** Reads what a claim depends on besides claims and roster, so that assigning awaits nothing. */
  async #situation({ path, inode, addresses }: Place): Promise<Situation> {
    const [bridge, host, inside] = await Promise.all([
      this.#bridgeAddresses(),
      this.#needs.hostNetworks(),
      addresses ?? (path === undefined ? [] : this.#needs.reader.read(path)),
    ]);
    // If the bridge is Docker's own, the container's eth0 is a port of it: the same network, which stays reachable.
    const isOnBridge = (address: Address) => bridge.some((own) => contains(networkOf(own), address.ip));
    const container = inside.filter(
      (address) => address.interface !== this.#options.interface && !isOnBridge(address),
    );
    return { namespace: inode, bridge, host, container };
  }

  /** Which of the owner's addresses these requests refer to. */
  async meant(owner: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    return meant(requests, this.#own(owner, await this.#bridgeAddresses()), this.#pool);
  }

  /** The owner's addresses, assigned or seen. */
  async has(owner: string): Promise<readonly Cidr[]> {
    return distinct(this.#own(owner, await this.#bridgeAddresses()));
  }

  /** Assigned addresses, and those it was seen with: another program may have attached it. */
  #own(owner: string, bridge: readonly Cidr[]): readonly Cidr[] {
    const seen = this.#attached(this.#needs.roster.get(owner)?.addresses ?? []);
    return [...(this.#needs.claims.of(owner) ?? []), ...(owner === EXPOSED ? bridge.map(toCidr) : seen)];
  }

  /** The addresses on our interface. */
  #attached(addresses: readonly Address[]): readonly Cidr[] {
    return addresses.filter((address) => address.interface === this.#options.interface).map(toCidr);
  }

  /** Repeats the attempt while its obstacle is a removed container: the event of the removal may still be on its way. */
  async #retrying<T>(attempt: () => T): Promise<T> {
    for (;;) {
      try {
        return attempt();
      } catch (error) {
        if (!(error instanceof AddressTaken) || !(await this.#hasGone(error.holder))) throw error;
      }
    }
  }

  /** Awaits nothing, and neither does the claim that follows: two callers cannot get one address. */
  #grant(
    owner: string,
    requests: readonly AddressRequest[],
    situation: Situation,
    allowed: boolean,
  ): readonly Cidr[] {
    const own = this.#own(owner, situation.bridge);
    const cidrs = grant(requests, { own, holderOf: this.#holders.besides(owner, situation) }, this.#pool);
    refuseCollisions(without(cidrs, own), situation, { allowed });
    if (this.#needs.roster.complete || onlyKnown(requests, cidrs, own)) return cidrs;
    throw new HeddleError(
      'unreachable',
      'no free address is assigned before all running containers are known; try again when Docker answers',
    );
  }

  /** The container's addresses, assigned or seen. */
  addressesOf(container: string): readonly Cidr[] {
    return distinct(this.#own(container, []));
  }

  /** Every owner of assigned or seen addresses once, the exposed bridge first. */
  owners(): readonly AddressOwner[] {
    const { claims, roster } = this.#needs;
    const seen = [...roster.entries()].map(({ snapshot }) => snapshot.id);
    const owners = [...new Set([EXPOSED, ...seen, ...claims.owners()])].map((owner) => ({
      owner,
      name: owner === EXPOSED ? '' : (roster.get(owner)?.snapshot.name ?? ''),
      running: owner === EXPOSED || (roster.get(owner)?.snapshot.pid ?? 0) > 0,
      addresses: distinct(this.#own(owner, [])).map(formatCidr),
    }));
    return owners.filter(({ addresses }) => addresses.length > 0);
  }

  /** The addresses of the bridge that containers are attached to. */
  #bridgeAddresses(): Promise<readonly Cidr[]> {
    return this.#needs.network.hostAddresses(this.#options.bridge);
  }

  async #hasGone({ container }: Holder): Promise<boolean> {
    if (container === undefined || (await this.#needs.docker.inspect(container)) !== undefined) return false;
    this.#needs.roster.delete(container);
    await this.#needs.claims.forget(container);
    return true;
  }
}

/** What a claim depends on besides claims and roster. */
type Situation = OtherAddresses & UsedNetworks;

/** Whether none of the granted addresses was chosen among the free ones. */
const onlyKnown = (
  requests: readonly AddressRequest[],
  granted: readonly Cidr[],
  own: readonly Cidr[],
): boolean => {
  const known = new Set([...own, ...namedAddresses(requests)].map(({ ip }) => ip));
  return granted.every(({ ip }) => known.has(ip));
};

import { shortId } from '../docker/snapshot.ts';
import type { Cidr, HostNetwork } from '../network/engine.ts';
import type { Roster } from '../roster/roster.ts';
import { type Claims, EXPOSED } from './claims.ts';
import type { Holder } from './grant.ts';

export interface HoldersNeeds {
  readonly claims: Pick<Claims, 'withAddress'>;
  readonly roster: Pick<Roster, 'get' | 'inNamespace' | 'withAddress'>;
}

export interface HoldersOptions {
  readonly bridge: string;
  /** Name of our interface in a container. */
  readonly interface: string;
}

/** Addresses besides those of claims and roster, as just read. */
export interface OtherAddresses {
  /** Inode of the requesting container's network namespace. */
  readonly namespace: number | undefined;
  readonly bridge: readonly Cidr[];
  readonly host: readonly HostNetwork[];
}

/** Finds the owner of an address: a container, the bridge, or this host. */
export class Holders {
  readonly #needs: HoldersNeeds;
  readonly #options: HoldersOptions;

  constructor(needs: HoldersNeeds, options: HoldersOptions) {
    this.#needs = needs;
    this.#options = options;
  }

  /** Finds another owner that was assigned an address, or seen with it. Containers of one namespace share addresses. */
  besides(owner: string, { namespace, bridge, host }: OtherAddresses): (ip: string) => Holder | undefined {
    const { claims, roster } = this.#needs;
    const sharing = new Set([owner, ...(namespace === undefined ? [] : roster.inNamespace(namespace))]);
    const ofHost = new Map(
      host.flatMap(({ ip, device }) => (ip === undefined ? [] : [[ip, device] as const])),
    );
    return (ip) => {
      const seen = roster.withAddress(ip).filter((holder) => this.#isAssignedTo(holder, ip));
      const other = [...claims.withAddress(ip), ...seen].find((holder) => !sharing.has(holder));
      if (other !== undefined) return this.#holder(other);
      const device = ofHost.get(ip);
      if (device !== undefined) return { container: undefined, name: `this host, on ${device}` };
      const ofBridge = owner !== EXPOSED && bridge.some((cidr) => cidr.ip === ip);
      return ofBridge ? { container: undefined, name: `the bridge ${this.#options.bridge}` } : undefined;
    };
  }

  /** Seen on our interface, or assigned by Docker: an address on a container's other interfaces reserves nothing. */
  #isAssignedTo(container: string, ip: string): boolean {
    const entry = this.#needs.roster.get(container);
    const ours = new Set(['', this.#options.interface]);
    return (
      entry?.addresses.some((address) => address.ip === ip && ours.has(address.interface)) === true ||
      entry?.snapshot.networks.some(({ ipv4, ipv6 }) => ip === ipv4 || ip === ipv6) === true
    );
  }

  #holder(owner: string): Holder {
    if (owner === EXPOSED)
      return { container: undefined, name: `the bridge ${this.#options.bridge}, exposed` };
    const name = this.#needs.roster.get(owner)?.snapshot.name;
    return {
      container: owner,
      name: name ? `container '${name}' (${shortId(owner)})` : `container ${shortId(owner)}`,
    };
  }
}

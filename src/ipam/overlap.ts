import type { Address } from '../addresses/address.ts';
import { HeddleError } from '../errors.ts';
import { formatCidr, networkOf, overlap } from '../network/cidr.ts';
import type { Cidr, HostNetwork } from '../network/engine.ts';

/** What a network on the bridge must keep clear of. */
export interface Surroundings {
  readonly host: readonly HostNetwork[];
  /** Of the container's other interfaces. */
  readonly container: readonly Address[];
}

/** What an address or its network would collide with, for people; undefined for nothing. */
export interface Collision {
  /** `the address of docker0 on this host`, `the route of this host to 10.0.0.0/8 by eth0` */
  readonly what: string;
  /** The address itself is the host's own: nobody can insist on that one. */
  readonly own: boolean;
}

/** The first collision of an address on the bridge, with its prefix length. An address of the host comes first. */
export function collisionOf(cidr: Cidr, { host, container }: Surroundings): Collision | undefined {
  const own = host.find(({ ip }) => ip === cidr.ip);
  if (own) return { what: `the address of ${own.device} on this host`, own: true };
  const network = networkOf(cidr);
  const inside = container.find((address) => overlap(networkOf(address), network));
  if (inside) {
    const what = `${formatCidr(inside)} on the container's other interface ${inside.interface}`.trimEnd();
    return { what, own: false };
  }
  const other = host.find((candidate) => overlap(candidate.network, network));
  return other && { what: describe(other), own: false };
}

function describe({ network, ip, device }: HostNetwork): string {
  if (ip === undefined) return `the route of this host to ${formatCidr(network)} by ${device}`;
  return `the network ${formatCidr(network)} of ${device} on this host`;
}

/**
 * @param options.allowed somebody insists: what is there will no longer be reached
 * @throws HeddleError `taken`
 */
export function refuseCollisions(
  cidrs: readonly Cidr[],
  surroundings: Surroundings,
  options: { readonly allowed: boolean },
): void {
  for (const cidr of cidrs) {
    const collision = collisionOf(cidr, surroundings);
    if (!collision || (options.allowed && !collision.own)) continue;
    if (collision.own) {
      throw new HeddleError('taken', `${formatCidr(cidr)} is ${collision.what}: choose another address`);
    }
    const network = formatCidr(networkOf(cidr));
    throw new HeddleError(
      'taken',
      `${formatCidr(cidr)} is in ${network}, which overlaps ${collision.what}, and would cut that off: choose another ` +
        'network (--ipalloc-range is where free addresses come from), or insist with --allow-overlap',
    );
  }
}

/** What of the host a whole network overlaps, for people; undefined for nothing. */
export const overlapOf = (network: Cidr, host: readonly HostNetwork[]): string | undefined => {
  const other = host.find((candidate) => overlap(candidate.network, network));
  return other && describe(other);
};

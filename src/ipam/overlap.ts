import { HeddleError } from '../errors.ts';
import type { Address } from '../network/address.ts';
import { formatCidr, networkOf, overlap } from '../network/cidr.ts';
import type { Cidr, HostNetwork } from '../network/engine.ts';
import type { Pool } from './pool.ts';

/** Networks that a network on the bridge must not overlap. */
export interface UsedNetworks {
  readonly host: readonly HostNetwork[];
  /** Addresses of the container's other interfaces. */
  readonly container: readonly Address[];
}

/**
 * Describes what the network of an address on the bridge collides with: `the route of this host to 10.0.0.0/8 by eth0`;
 * undefined for nothing. An address of the host itself has been refused before, like that of any other owner.
 */
function collisionOf(cidr: Cidr, { host, container }: UsedNetworks): string | undefined {
  const network = networkOf(cidr);
  const inside = container.find((address) => overlap(networkOf(address), network));
  if (!inside) return overlapOf(network, host);
  return `${formatCidr(inside)} on the container's other interface ${inside.interface}`.trimEnd();
}

function describe({ network, ip, device }: HostNetwork): string {
  if (ip === undefined) return `the route of this host to ${formatCidr(network)} by ${device}`;
  return `the network ${formatCidr(network)} of ${device} on this host`;
}

/**
 * @param options.allowed overlaps are accepted: what is in that network will no longer be reachable
 * @throws HeddleError `taken`
 */
export function refuseCollisions(
  cidrs: readonly Cidr[],
  used: UsedNetworks,
  options: { readonly allowed: boolean },
): void {
  if (options.allowed) return;
  for (const cidr of cidrs) {
    const collision = collisionOf(cidr, used);
    if (collision === undefined) continue;
    const network = formatCidr(networkOf(cidr));
    throw new HeddleError(
      'taken',
      `${formatCidr(cidr)} is in ${network}, which overlaps ${collision}, and would cut that off: choose another ` +
        'network (--ipalloc-range is where free addresses come from), or insist with --allow-overlap',
    );
  }
}

/** Describes which network of the host a network overlaps; undefined for none. */
export const overlapOf = (network: Cidr, host: readonly HostNetwork[]): string | undefined => {
  const other = host.find((candidate) => overlap(candidate.network, network));
  return other && describe(other);
};

/** A pool that overlaps a network of the host. */
export interface PoolOverlap {
  /** For messages. */
  readonly problem: string;
  /** The default subnet, which `net:default` requests, does not overlap. */
  readonly sparesDefault: boolean;
}

export function overlapOfPool(
  { range, defaultSubnet }: Pool,
  host: readonly HostNetwork[],
): PoolOverlap | undefined {
  const other = overlapOf(range, host);
  if (other === undefined) return undefined;
  const problem = `the range of free addresses ${formatCidr(range)} overlaps ${other}`;
  if (overlapOf(defaultSubnet, host) !== undefined) return { problem, sparesDefault: false };
  return {
    problem: `${problem}; the default subnet ${formatCidr(defaultSubnet)} does not`,
    sparesDefault: true,
  };
}

export interface PoolFacts {
  readonly host: readonly HostNetwork[];
  /** Networks in which addresses are assigned already. */
  readonly used: readonly Cidr[];
  /** The flag or file that sets the range; undefined for the default range. */
  readonly origin: string | undefined;
}

/**
 * Refuses a configured range whose default subnet overlaps a network of the host, while no address of the range is
 * assigned yet. The default range is not refused: a host whose containers request certain addresses does not need it, and
 * DNS must still be served.
 * @returns the overlap to warn about
 * @throws HeddleError `taken`
 */
export function refuseUnusable(pool: Pool, { host, used, origin }: PoolFacts): PoolOverlap | undefined {
  const overlapping = overlapOfPool(pool, host);
  const isUsed = used.some((network) => overlap(network, pool.range));
  if (!overlapping || overlapping.sparesDefault || origin === undefined || isUsed) return overlapping;
  const advice = 'choose another one, or insist with --allow-overlap';
  throw new HeddleError('taken', `${origin}: ${overlapping.problem}: ${advice}`);
}

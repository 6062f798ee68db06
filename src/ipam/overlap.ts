import { HeddleError } from '../errors.ts';
import type { Address } from '../network/address.ts';
import { formatCidr, networkOf, overlap } from '../network/cidr.ts';
import type { Cidr, HostNetwork } from '../network/engine.ts';
import type { Pool } from './pool.ts';

/** What a network on the bridge must keep clear of. */
export interface UsedNetworks {
  readonly host: readonly HostNetwork[];
  /** Of the container's other interfaces. */
  readonly container: readonly Address[];
}

/**
 * What the network of an address on the bridge collides with, for people: `the route of this host to 10.0.0.0/8 by
 * eth0`; undefined for nothing. An address that the host itself has is refused before, as anybody else's.
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
 * @param options.allowed somebody insists: what is there will no longer be reached
 * @throws HeddleError `taken`
 */
export function refuseCollisions(
  cidrs: readonly Cidr[],
  surroundings: UsedNetworks,
  options: { readonly allowed: boolean },
): void {
  if (options.allowed) return;
  for (const cidr of cidrs) {
    const collision = collisionOf(cidr, surroundings);
    if (collision === undefined) continue;
    const network = formatCidr(networkOf(cidr));
    throw new HeddleError(
      'taken',
      `${formatCidr(cidr)} is in ${network}, which overlaps ${collision}, and would cut that off: choose another ` +
        'network (--ipalloc-range is where free addresses come from), or insist with --allow-overlap',
    );
  }
}

/** What of the host a whole network overlaps, for people; undefined for nothing. */
export const overlapOf = (network: Cidr, host: readonly HostNetwork[]): string | undefined => {
  const other = host.find((candidate) => overlap(candidate.network, network));
  return other && describe(other);
};

/** Where free addresses come from, and the host reaches something else. */
export interface PoolOverlap {
  /** For people. */
  readonly problem: string;
  /** What `net:default` means is clear of it. */
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
  /** Networks that somebody has addresses in already. */
  readonly used: readonly Cidr[];
  /** The flag or file that the range was chosen with; undefined for the default one. */
  readonly origin: string | undefined;
}

/**
 * Refuses to begin with a range that somebody chose, where what `net:default` means is reached otherwise and nobody has
 * an address of the range yet. The default range is not refused: a host whose containers have certain addresses needs
 * none, and names must be answered.
 * @returns what to warn of
 * @throws HeddleError `taken`
 */
export function refuseUnusable(pool: Pool, { host, used, origin }: PoolFacts): PoolOverlap | undefined {
  const overlapping = overlapOfPool(pool, host);
  const isUsed = used.some((network) => overlap(network, pool.range));
  if (!overlapping || overlapping.sparesDefault || origin === undefined || isUsed) return overlapping;
  const advice = 'choose another one, or insist with --allow-overlap';
  throw new HeddleError('taken', `${origin}: ${overlapping.problem}: ${advice}`);
}

import { HeddleError } from '../errors.ts';
import { contains, covers, distinct, formatCidr, networkOf } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import { addressesIn, ownedBlocks } from './blocks.ts';
import type { Pool } from './pool.ts';
import type { AddressRequest } from './request.ts';

/** Who has an address. */
export interface Holder {
  /** The container's id; undefined for the host itself. */
  readonly container: string | undefined;
  /** For people: `web (1f2e3d4c5b6a)`, `the bridge weave`. */
  readonly name: string;
}

export interface Holdings {
  /** What the asking one has already. */
  readonly own: readonly Cidr[];
  /** Who else has an address, written without prefix. */
  holderOf(ip: string): Holder | undefined;
}

/** An address that somebody else has. */
export class AddressTaken extends HeddleError {
  readonly holder: Holder;

  constructor(cidr: Cidr, holder: Holder) {
    super(
      'taken',
      `${formatCidr(cidr)} belongs to ${holder.name}: choose another address, or net:default for a free one`,
    );
    this.holder = holder;
  }
}

/**
 * How many addresses one owner can have: each is a name's answer, an entry of the state and an address of the kernel's.
 * Nobody needs as many, and a label is written by anybody.
 */
export const MOST_ADDRESSES = 64;

/**
 * The addresses that answer these requests, in their order. Asking again gives the same: one that is held already
 * answers a request for its subnet. The lowest free one is taken.
 * @throws AddressTaken; HeddleError `taken` when a subnet is exhausted, `bad-input` for one outside the range, `refused`
 * for more addresses than anybody can have
 */
export function grant(
  requests: readonly AddressRequest[],
  { own, holderOf }: Holdings,
  pool: Pool,
): readonly Cidr[] {
  if (requests.length > MOST_ADDRESSES) throw tooMany();
  const granted: Cidr[] = [];
  /** What is held already, by network: the first of each answers a request for that network. */
  const held = new Map<string, Cidr>();
  const ownIps = new Set(own.map(({ ip }) => ip));
  for (const cidr of own) note(cidr);
  for (const request of requests) {
    const cidr = request.kind === 'exact' ? exact(request.cidr, holderOf) : any(request.subnet);
    granted.push(cidr);
    note(cidr);
  }
  if (distinct([...own, ...granted]).length > MOST_ADDRESSES) throw tooMany();
  return distinct(granted);

  function note(cidr: Cidr): void {
    const network = formatCidr(networkOf(cidr));
    if (!held.has(network)) held.set(network, cidr);
  }

  function any(asked: Cidr | undefined): Cidr {
    const subnet = subnetFor(asked, pool);
    const taken = (ip: string) => holderOf(ip) !== undefined || ownIps.has(ip);
    return held.get(formatCidr(networkOf(subnet))) ?? lowestFree(subnet, pool, taken);
  }
}

const tooMany = (): HeddleError =>
  new HeddleError('refused', `more than ${MOST_ADDRESSES} addresses for one container or bridge are refused`);

/** Those of the addresses that these requests mean, when they are given back. */
export function meant(
  requests: readonly AddressRequest[],
  own: readonly Cidr[],
  pool: Pool,
): readonly Cidr[] {
  const cidrs = requests.flatMap((request) => {
    if (request.kind === 'exact') return [request.cidr];
    const subnet = subnetFor(request.subnet, pool);
    return own.filter((cidr) => isOf(subnet, cidr));
  });
  return distinct(cidrs);
}

function exact(cidr: Cidr, holderOf: Holdings['holderOf']): Cidr {
  const holder = holderOf(cidr.ip);
  if (holder) throw new AddressTaken(cidr, holder);
  return cidr;
}

function subnetFor(asked: Cidr | undefined, { range, defaultSubnet }: Pool): Cidr {
  const subnet = asked ?? defaultSubnet;
  if (covers(range, subnet)) return subnet;
  throw new HeddleError(
    'bad-input',
    `net:${formatCidr(subnet)} lies outside the range ${formatCidr(range)} that addresses are allocated from; ` +
      'see the setting ipalloc-range, or give an address of your own',
  );
}

const isOf = (subnet: Cidr, cidr: Cidr): boolean =>
  cidr.prefixLength === subnet.prefixLength && contains(subnet, cidr.ip);

function lowestFree(subnet: Cidr, { range }: Pool, taken: (ip: string) => boolean): Cidr {
  for (const block of ownedBlocks(range, subnet)) {
    for (const ip of addressesIn(block, subnet)) {
      if (!taken(ip)) return { ip, prefixLength: subnet.prefixLength, family: subnet.family };
    }
  }
  throw new HeddleError(
    'taken',
    `every address of ${formatCidr(networkOf(subnet))} is taken; see heddle status ipam, remove containers that ` +
      'are no longer needed, or allocate from another subnet',
  );
}

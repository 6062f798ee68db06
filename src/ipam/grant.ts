import { HeddleError } from '../errors.ts';
import { contains, covers, distinct, formatCidr, networkOf } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import { addressesIn, ownedBlocks } from './blocks.ts';
import type { Pool } from './pool.ts';
import type { AddressRequest } from './request.ts';

/** The owner of an address. */
export interface Holder {
  /** The container's id; undefined for the host itself. */
  readonly container: string | undefined;
  /** For messages: `web (1f2e3d4c5b6a)`, `the bridge weave`. */
  readonly name: string;
}

export interface Holdings {
  /** Addresses that the requesting owner already has. */
  readonly own: readonly Cidr[];
  /** Another owner of an address, written without prefix. */
  holderOf(ip: string): Holder | undefined;
}

/** An address that belongs to another owner. */
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
 * How many addresses one owner can have. Each is a DNS record, an entry in the state and an address in the kernel. No
 * container needs more, and any user who starts one can write its labels.
 */
export const MOST_ADDRESSES = 64;

/**
 * The addresses that satisfy these requests, in their order. Repeating a request gives the same address: one that the
 * owner has satisfies a request for any address of its subnet. Otherwise the lowest free one is granted.
 * @throws AddressTaken; HeddleError `taken` when a subnet is exhausted, `bad-input` for one outside the range, `refused`
 * for more addresses than one owner can have
 */
export function grant(
  requests: readonly AddressRequest[],
  { own, holderOf }: Holdings,
  pool: Pool,
): readonly Cidr[] {
  if (requests.length > MOST_ADDRESSES) throw tooMany();
  const granted: Cidr[] = [];
  /** Held addresses by network: the first of each satisfies a request for that network. */
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

/** Which addresses these requests refer to when they are taken away. */
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
      'see the setting ipalloc-range, or request a certain address',
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

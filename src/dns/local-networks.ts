import { BlockList, isIPv6 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** How long a reading of the interfaces is good for, in milliseconds: bridges come and go. */
const FRESH_MS = 1_000;
/** The same while strangers ask: a flood of them must not be a flood of readings. */
const STRANGER_FRESH_MS = 20;

/** More than ask within a second; whoever is beyond it is checked each time. */
const MAX_NEIGHBOURS = 4_096;

type Interfaces = () => NodeJS.Dict<NetworkInterfaceInfo[]>;

/** The addresses of this host and the networks they lie in, loopback included. */
export class LocalNetworks {
  readonly #interfaces: Interfaces;
  readonly #now: () => number;
  #addresses = new BlockList();
  #networks = new BlockList();
  /** Clients that were found to be local since the last reading. */
  readonly #neighbours = new Set<string>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(needs: { readonly interfaces?: Interfaces; readonly now?: () => number } = {}) {
    this.#interfaces = needs.interfaces ?? networkInterfaces;
    this.#now = needs.now ?? (() => performance.now());
  }

  /** Whether an address lies in a network that this host is part of. */
  includes(address: string): boolean {
    this.#refresh(FRESH_MS);
    // A check leaves JavaScript, twice a query, for the same few clients again and again.
    if (this.#neighbours.has(address)) return true;
    const known = () => this.#networks.check(withoutZone(address), familyOf(address));
    if (!known()) {
      // Docker's bridge has no carrier, and is not listed, until its first container runs: a stranger is looked at twice.
      this.#refresh(STRANGER_FRESH_MS);
      if (!known()) return false;
    }
    if (this.#neighbours.size < MAX_NEIGHBOURS) this.#neighbours.add(address);
    return true;
  }

  /** Whether this host itself has an address; all of 127.0.0.0/8 is its own. */
  isOwn(address: string): boolean {
    this.#refresh(FRESH_MS);
    return this.#addresses.check(withoutZone(address), familyOf(address));
  }

  #refresh(freshMs: number): void {
    const now = this.#now();
    if (now - this.#readAt < freshMs) return;
    this.#readAt = now;
    const interfaces = this.#read();
    if (interfaces === undefined) return;
    this.#neighbours.clear();
    const [addresses, networks] = [new BlockList(), new BlockList()];
    for (const list of [addresses, networks]) {
      list.addSubnet('127.0.0.0', 8, 'ipv4');
      list.addAddress('::1', 'ipv6');
    }
    for (const { address, cidr } of interfaces) {
      const ip = withoutZone(address);
      addresses.addAddress(ip, familyOf(ip));
      if (cidr) networks.addSubnet(ip, Number(cidr.split('/')[1]), familyOf(ip));
    }
    [this.#addresses, this.#networks] = [addresses, networks];
  }

  /** Undefined where the system cannot tell, as while there is no further descriptor: what was read last holds on. */
  #read(): readonly NetworkInterfaceInfo[] | undefined {
    try {
      return Object.values(this.#interfaces()).flatMap((list) => list ?? []);
    } catch {
      return undefined;
    }
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/** `fe80::1` of `fe80::1%eth0`: link-local addresses come with their interface. */
export function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

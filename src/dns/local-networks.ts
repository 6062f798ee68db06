import { BlockList, isIPv6 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** How long the interfaces that were read stay valid, in milliseconds: bridges come and go. */
const FRESH_MS = 1_000;
/** The same while external clients ask: a flood of their queries must not read the interfaces each time. */
const EXTERNAL_FRESH_MS = 20;

/** More clients than ask within a second; any further one is checked each time. */
const MAX_LOCAL_CLIENTS = 4_096;

type Interfaces = () => NodeJS.Dict<NetworkInterfaceInfo[]>;

/** This host's addresses and their networks, loopback included. */
export class LocalNetworks {
  readonly #interfaces: Interfaces;
  readonly #now: () => number;
  #addresses = new BlockList();
  #networks = new BlockList();
  /** Clients found to be local since the interfaces were last read. */
  readonly #localClients = new Set<string>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(needs: { readonly interfaces?: Interfaces; readonly now?: () => number } = {}) {
    this.#interfaces = needs.interfaces ?? networkInterfaces;
    this.#now = needs.now ?? (() => performance.now());
  }

  /** Whether an address belongs to one of this host's networks. */
  includes(address: string): boolean {
    this.#refresh(FRESH_MS);
    // BlockList.check leaves JavaScript; without this set it would run twice a query, for the same few clients.
    if (this.#localClients.has(address)) return true;
    const isListed = () => this.#networks.check(withoutZone(address), familyOf(address));
    if (!isListed()) {
      // Docker's bridge has no carrier, and is not listed, until its first container runs: read again before refusing.
      this.#refresh(EXTERNAL_FRESH_MS);
      if (!isListed()) return false;
    }
    if (this.#localClients.size < MAX_LOCAL_CLIENTS) this.#localClients.add(address);
    return true;
  }

  /** Whether the address is this host's own, as all of 127.0.0.0/8 is. */
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
    this.#localClients.clear();
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

  /** Undefined if the system call fails, as without free file descriptors; the last result then stays in use. */
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

/** `fe80::1` for `fe80::1%eth0`: link-local addresses carry their interface. */
export function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

import type { Address } from './address.ts';

/**
 * The attach engine: bridge, veth pairs and addresses. Two implementations, the kernel (rtnetlink) and memory (for
 * unit tests), held to one contract suite. It works on namespace paths, never on pids, and keeps no descriptor of a
 * container's namespace open. Every verb is idempotent and safe under concurrent callers.
 */
export interface NetworkEngine {
  /**
   * Makes sure that the bridge exists, is up and accepts traffic between its ports. Pairs from under which somebody
   * removed it are its ports again.
   * @throws HeddleError `taken` when the name belongs to a device of another kind, `not-permitted` without NET_ADMIN
   */
  ensureBridge(): Promise<void>;
  /** The same where there is a bridge, or pairs that lost theirs; false where there is neither. */
  restoreBridge(): Promise<boolean>;
  /**
   * Gives the bridge these addresses, so that this host reaches the containers, and they what it reaches; the bridge
   * is made if it is not there. Their networks are masqueraded, but for those where no address of the bridge asks for it.
   * @throws HeddleError as `ensureBridge`
   */
  expose(cidrs: readonly Cidr[], options?: MasqueradeOptions): Promise<void>;
  /** Takes these addresses away from the bridge, and the masquerading that only they asked for; absent ones are a success. */
  hide(cidrs: readonly Cidr[], options?: MasqueradeOptions): Promise<void>;
  /** Takes away the bridge, every pair in it or in none, and our firewall rules; what is not there is a success. */
  removeBridge(): Promise<void>;
  /**
   * Makes sure that the namespace has the container interface, up, with all these addresses. An interface that was up
   * stays as it is but for what the options take away.
   * @throws HeddleError `host-network`, `not-running` (the namespace is gone), `not-found` (no bridge),
   * `taken`, `not-permitted`; what was half made is taken back or completed by the next call
   */
  attach(target: AttachTarget, cidrs: readonly Cidr[], options?: LinkOptions): Promise<AttachResult>;
  /**
   * Removes these addresses, and the interface with the last of them. Absent ones are a success.
   * @throws HeddleError `host-network`, `not-running`, `not-permitted`
   */
  detach(target: AttachTarget, cidrs: readonly Cidr[]): Promise<{ readonly removed: readonly Cidr[] }>;
  /**
   * All addresses of all interfaces that are up in this namespace; loopback and IPv6 link-local ones are left out.
   * @param container whose namespace it was found to be, and must still be
   * @throws HeddleError `host-network`, `not-running`, `not-permitted`
   */
  addresses(nsPath: string, container?: string): Promise<readonly Address[]>;
  /** Addresses of an interface of the host itself (`docker0`, `weave`); empty when there is no such device. */
  hostAddresses(device: string): Promise<readonly Address[]>;
  /** The IPv4 networks of the host's other interfaces, up or down, and those that it has routes to but by our bridge. */
  hostNetworks(): Promise<readonly HostNetwork[]>;
  /**
   * The MAC of the container interface, `0a:58:0a:02:01:01`; undefined where there is none.
   * @throws HeddleError `host-network`, `not-running`, `not-permitted`
   */
  mac(nsPath: string): Promise<string | undefined>;
  hostMac(device: string): Promise<string | undefined>;
  /** Who answers this host for addresses on the bridge, by the namespaces of pairs of ours. */
  bridgeNeighbours(): Promise<readonly BridgeNeighbour[]>;
  /**
   * Who made the container interface; undefined where there is none.
   * @throws HeddleError `host-network`, `not-running`, `not-permitted`
   */
  interfaceMaker(nsPath: string): Promise<InterfaceMaker | undefined>;
  /**
   * Calls back with a namespace's inode when a link or an address in it changed; `undefined` = read everything anew,
   * which is the first call. Namespaces that were not read or attached since then are not reported.
   */
  watch(changed: (namespace: number | undefined) => void): Promise<{ stop(): Promise<void> }>;
}

/** `another`: the original weave, or whoever else hung its other end into the bridge; nobody inside can do that. */
export type InterfaceMaker = 'heddle' | 'another' | 'container';

export interface BridgeNeighbour {
  readonly ip: string;
  /** Inode of the network namespace that answers for it. */
  readonly namespace: number;
}

export interface MasqueradeOptions {
  /** Those of the bridge's addresses that ask for no masquerading. */
  readonly unmasqueraded?: readonly Cidr[];
}

export interface AttachTarget {
  /** `/hostproc/1234/ns/net`. */
  readonly nsPath: string;
  /** The full container id, whose namespace it was found to be, and must still be: becomes the alias of the host end. */
  readonly container: string;
}

export interface LinkOptions {
  /** Without the route for multicast, 224.0.0.0/4; otherwise the interface gets it when it is made. */
  readonly multicastRoute?: false;
}

export interface AttachResult {
  /** True when this call made the interface. */
  readonly created: boolean;
  /** Those of the asked addresses that were not there before. */
  readonly added: readonly Cidr[];
}

/** An address with its prefix length: `10.2.1.1/16`. Parsed by network/cidr.ts, never from untrusted text directly. */
export interface Cidr {
  readonly ip: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
}

/** A network that the host reaches by another device than our bridge. */
export interface HostNetwork {
  readonly network: Cidr;
  /** The host's own address in it; undefined for a route. */
  readonly ip?: string;
  readonly device: string;
}

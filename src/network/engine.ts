import type { Address } from './address.ts';

/**
 * The attach engine: bridge, veth pairs and addresses. It has two implementations, the kernel (rtnetlink) and a fake
 * for unit tests; both pass one contract suite. The engine takes namespace paths, never pids, and keeps no descriptor
 * of a container's namespace open. Every method is idempotent and safe under concurrent callers.
 */
export interface NetworkEngine {
  /**
   * Makes sure that the bridge exists, is up and accepts traffic between its ports. Pairs that lost the bridge, because
   * another program removed it, become its ports again.
   * @throws HeddleError `taken` when the name belongs to a device of another kind, `not-permitted` without NET_ADMIN
   */
  ensureBridge(): Promise<void>;
  /** Like `ensureBridge`, if a bridge or pairs without a bridge exist; otherwise does nothing and returns false. */
  restoreBridge(): Promise<boolean>;
  /**
   * Assigns these addresses to the bridge, and creates it if necessary. Then this host reaches the containers, and they
   * reach what the host reaches. A network is masqueraded if at least one of the bridge's addresses in it requests that.
   * @throws HeddleError as `ensureBridge`
   */
  expose(cidrs: readonly Cidr[], options?: MasqueradeOptions): Promise<void>;
  /** Removes these addresses from the bridge, and the masquerading that only they requested. Absent ones are a success. */
  hide(cidrs: readonly Cidr[], options?: MasqueradeOptions): Promise<void>;
  /** Removes the bridge, its pairs, pairs without a bridge, and our firewall rules. What is absent is a success. */
  removeBridge(): Promise<void>;
  /**
   * Makes sure that the namespace has the container interface, up, with all these addresses. An interface that was up
   * keeps everything except what the options remove.
   * @throws HeddleError `host-network`, `not-running` (the namespace is gone), `not-found` (no bridge),
   * `taken`, `not-permitted`; an incomplete change is undone, or completed by the next call
   */
  attach(target: AttachTarget, cidrs: readonly Cidr[], options?: LinkOptions): Promise<AttachResult>;
  /**
   * Removes these addresses, and the interface together with its last address. Absent ones are a success.
   * @throws HeddleError `host-network`, `not-running`, `not-permitted`
   */
  detach(target: AttachTarget, cidrs: readonly Cidr[]): Promise<{ readonly removed: readonly Cidr[] }>;
  /**
   * All addresses of all interfaces that are up in this namespace, except loopback and IPv6 link-local ones.
   * @param container the id of the container; the namespace must still be this container's
   * @throws HeddleError `host-network`, `not-running`, `not-permitted`
   */
  addresses(nsPath: string, container?: string): Promise<readonly Address[]>;
  /** Addresses of an interface of the host itself (`docker0`, `weave`); empty when there is no such device. */
  hostAddresses(device: string): Promise<readonly Address[]>;
  /** The IPv4 networks of the host's other interfaces, up or down, and of its routes over other devices than our bridge. */
  hostNetworks(): Promise<readonly HostNetwork[]>;
  /**
   * The MAC of the container interface, `0a:58:0a:02:01:01`; undefined where there is none.
   * @throws HeddleError `host-network`, `not-running`, `not-permitted`
   */
  mac(nsPath: string): Promise<string | undefined>;
  hostMac(device: string): Promise<string | undefined>;
  /** For each address in the host's neighbour table of the bridge: the namespace behind the pair that answers for it. */
  bridgeNeighbours(): Promise<readonly BridgeNeighbour[]>;
  /**
   * Which program made the container interface; undefined if there is none.
   * @throws HeddleError `host-network`, `not-running`, `not-permitted`
   */
  interfaceMaker(nsPath: string): Promise<InterfaceMaker | undefined>;
  /**
   * Calls back with a namespace's inode when a link or an address in it changed. `undefined` means "read everything
   * again"; the first call always passes it. Namespaces that were not read or attached since then are not reported.
   */
  watch(changed: (namespace: number | undefined) => void): Promise<{ stop(): Promise<void> }>;
}

/** `another`: the original weave, or another program with access to the bridge; a process in the container has none. */
export type InterfaceMaker = 'heddle' | 'another' | 'container';

export interface BridgeNeighbour {
  readonly ip: string;
  /** Inode of the network namespace that answers for the address. */
  readonly namespace: number;
}

export interface MasqueradeOptions {
  /** The bridge's addresses that request no masquerading. */
  readonly unmasqueraded?: readonly Cidr[];
}

export interface AttachTarget {
  /** `/hostproc/1234/ns/net`. */
  readonly nsPath: string;
  /** The full container id; the namespace must still be this container's. It becomes the alias of the host end. */
  readonly container: string;
}

export interface LinkOptions {
  /** `false` omits the multicast route, 224.0.0.0/4; by default the interface gets it at creation. */
  readonly multicastRoute?: false;
}

export interface AttachResult {
  /** True when this call made the interface. */
  readonly created: boolean;
  /** The requested addresses that were absent before. */
  readonly added: readonly Cidr[];
}

/** An address with its prefix length: `10.2.1.1/16`. Parsed by network/cidr.ts, never from untrusted text directly. */
export interface Cidr {
  readonly ip: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
}

/** A network that the host reaches over another device than our bridge. */
export interface HostNetwork {
  readonly network: Cidr;
  /** The host's own address in it; undefined for a route. */
  readonly ip?: string;
  readonly device: string;
}

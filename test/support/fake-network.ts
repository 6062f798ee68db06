import { HeddleError } from '../../src/errors.ts';
import type { Address } from '../../src/network/address.ts';
import { assertAssignable } from '../../src/network/assignable.ts';
import { formatCidr, networkOf, toCidr } from '../../src/network/cidr.ts';
import { hostNetworkError } from '../../src/network/container-namespace.ts';
import type {
  AttachResult,
  AttachTarget,
  BridgeNeighbour,
  Cidr,
  HostNetwork,
  InterfaceMaker,
  NetworkEngine,
} from '../../src/network/engine.ts';
import { formatMac, macFor } from '../../src/network/mac.ts';
import { namespaceGone } from '../../src/network/netlink/kernel-error.ts';

interface FakeNamespace {
  readonly inode: number;
  /** By interface. */
  readonly addresses: Map<string, readonly Address[]>;
  /** Which program made our interface. */
  maker: InterfaceMaker;
}

/**
 * A network engine without a kernel, for tests of its users. The test adds and removes namespaces; an unknown path is
 * that of a stopped container.
 */
export class FakeNetworkEngine implements NetworkEngine {
  readonly #options: { readonly bridge: string; readonly interface: string };
  readonly #namespaces = new Map<string, FakeNamespace | 'host'>();
  readonly #host = new Map<string, readonly Address[]>();
  #bridgeNeighbours: readonly BridgeNeighbour[] = [];
  readonly #routes: HostNetwork[] = [];
  readonly #listeners = new Set<(namespace: number | undefined) => void>();
  #bridge: 'absent' | 'ours' | 'taken' = 'absent';
  #nextInode = 4_026_532_000;

  constructor(options: { readonly bridge?: string; readonly interface?: string } = {}) {
    this.#options = { bridge: 'weave', interface: 'ethwe', ...options };
  }

  /** A container starts; returns its namespace's inode. */
  addNamespace(nsPath: string): number {
    const inode = this.#nextInode++;
    this.#namespaces.set(nsPath, { inode, addresses: new Map(), maker: 'another' });
    return inode;
  }

  /** A container starts in the host's network. */
  addHostNamespace(nsPath: string): void {
    this.#namespaces.set(nsPath, 'host');
  }

  /** The container's last process ends. */
  removeNamespace(nsPath: string): void {
    this.#namespaces.delete(nsPath);
  }

  /** Another program (Docker, the original weave) assigns these addresses to an interface of a container. */
  setAddresses(nsPath: string, device: string, addresses: readonly Cidr[]): void {
    const { inode, addresses: devices } = this.#namespace(nsPath);
    devices.set(device, onDevice(device, addresses));
    this.#notify(inode);
  }

  /** A container creates our interface itself, with these addresses. */
  makeInterface(nsPath: string, addresses: readonly Cidr[]): void {
    this.#namespace(nsPath).maker = 'container';
    this.setAddresses(nsPath, this.#options.interface, addresses);
  }

  /** Sets the host's neighbours on the bridge. */
  setBridgeNeighbours(neighbours: readonly BridgeNeighbour[]): void {
    this.#bridgeNeighbours = neighbours;
  }

  /** An interface of the host gets these addresses. */
  setHostAddresses(device: string, addresses: readonly Cidr[]): void {
    this.#host.set(device, onDevice(device, addresses));
  }

  /** The host gets a route to this network. */
  addRoute(network: Cidr, device: string): void {
    this.#routes.push({ network, device });
  }

  /** A device of another kind takes the bridge's name. */
  takeBridgeName(): void {
    this.#bridge = 'taken';
  }

  /** Another program removes the bridge, but not its pairs. */
  loseBridge(): void {
    this.#bridge = 'absent';
    this.#host.delete(this.#options.bridge);
  }

  /** A device of another kind stays. */
  async removeBridge(): Promise<void> {
    if (this.#bridge === 'ours') this.loseBridge();
    for (const namespace of this.#namespaces.values()) {
      if (typeof namespace === 'object' && namespace.addresses.delete(this.#options.interface)) {
        this.#notify(namespace.inode);
      }
    }
  }

  async ensureBridge(): Promise<void> {
    if (this.#bridge === 'taken') throw this.#taken();
    this.#bridge = 'ours';
  }

  async restoreBridge(): Promise<boolean> {
    const isAttached = (namespace: FakeNamespace | 'host') =>
      typeof namespace === 'object' && namespace.addresses.has(this.#options.interface);
    if (this.#bridge !== 'ours' && ![...this.#namespaces.values()].some(isAttached)) return false;
    await this.ensureBridge();
    return true;
  }

  async expose(cidrs: readonly Cidr[]): Promise<void> {
    await this.ensureBridge();
    const before = await this.hostAddresses(this.#options.bridge);
    const present = new Set(before.map(formatCidr));
    this.setHostAddresses(this.#options.bridge, [
      ...before,
      ...cidrs.filter((cidr) => !present.has(formatCidr(cidr))),
    ]);
  }

  async hide(cidrs: readonly Cidr[]): Promise<void> {
    const hidden = new Set(cidrs.map(formatCidr));
    const before = await this.hostAddresses(this.#options.bridge);
    this.setHostAddresses(
      this.#options.bridge,
      before.filter((address) => !hidden.has(formatCidr(address))),
    );
  }

  async attach({ nsPath }: AttachTarget, cidrs: readonly Cidr[]): Promise<AttachResult> {
    assertAssignable(cidrs);
    const namespace = this.#namespace(nsPath);
    const { inode, addresses } = namespace;
    if (this.#bridge === 'taken') throw this.#taken();
    if (this.#bridge === 'absent') {
      throw new HeddleError('not-found', `there is no bridge ${this.#options.bridge}`);
    }
    const device = this.#options.interface;
    const before = addresses.get(device);
    if (before === undefined) namespace.maker = 'heddle';
    const present = new Set(before?.map(formatCidr));
    const missing = new Map(cidrs.map((cidr) => [formatCidr(cidr), cidr]));
    const added = [...missing].flatMap(([text, cidr]) => (present.has(text) ? [] : [cidr]));
    if (added.length > 0) {
      addresses.set(device, [...(before ?? []), ...onDevice(device, added)]);
      this.#notify(inode);
    }
    return { created: before === undefined, added };
  }

  async detach(
    { nsPath }: AttachTarget,
    cidrs: readonly Cidr[],
  ): Promise<{ readonly removed: readonly Cidr[] }> {
    const { inode, addresses } = this.#namespace(nsPath);
    const device = this.#options.interface;
    const present = addresses.get(device);
    if (!present) return { removed: [] };
    const requested = new Set(cidrs.map(formatCidr));
    const kept = present.filter((address) => !requested.has(formatCidr(address)));
    if (kept.length > 0) addresses.set(device, kept);
    else addresses.delete(device);
    const removed = present.filter((address) => !kept.includes(address)).map(toCidr);
    if (removed.length > 0) this.#notify(inode);
    return { removed };
  }

  async addresses(nsPath: string): Promise<readonly Address[]> {
    return [...this.#namespace(nsPath).addresses.values()].flat();
  }

  async hostAddresses(device: string): Promise<readonly Address[]> {
    return this.#host.get(device) ?? [];
  }

  async hostNetworks(): Promise<readonly HostNetwork[]> {
    const devices = [...this.#host].filter(([device]) => device !== this.#options.bridge);
    const networks = devices.flatMap(([device, addresses]) =>
      addresses.map((address) => ({ network: networkOf(address), ip: address.ip, device })),
    );
    return [...networks, ...this.#routes];
  }

  async mac(nsPath: string): Promise<string | undefined> {
    const addresses = this.#namespace(nsPath).addresses.get(this.#options.interface);
    return addresses && formatMac(macFor(addresses));
  }

  async hostMac(device: string): Promise<string | undefined> {
    return this.#host.has(device) ? '0a:5a:00:00:00:01' : undefined;
  }

  async bridgeNeighbours(): Promise<readonly BridgeNeighbour[]> {
    return this.#bridgeNeighbours;
  }

  async interfaceMaker(nsPath: string): Promise<InterfaceMaker | undefined> {
    const { addresses, maker } = this.#namespace(nsPath);
    return addresses.has(this.#options.interface) ? maker : undefined;
  }

  async watch(changed: (namespace: number | undefined) => void): Promise<{ stop(): Promise<void> }> {
    const listener: typeof changed = (namespace) => changed(namespace);
    this.#listeners.add(listener);
    setImmediate(() => this.#listeners.has(listener) && listener(undefined));
    return { stop: async () => void this.#listeners.delete(listener) };
  }

  #namespace(nsPath: string): FakeNamespace {
    const namespace = this.#namespaces.get(nsPath);
    if (namespace === 'host') throw hostNetworkError();
    if (namespace) return namespace;
    throw namespaceGone(nsPath, { code: 'ENOENT' });
  }

  #taken(): HeddleError {
    return new HeddleError('taken', `${this.#options.bridge} is not a bridge`);
  }

  /** Asynchronously, like the kernel's notifications. */
  #notify(namespace: number): void {
    setImmediate(() => {
      for (const listener of this.#listeners) listener(namespace);
    });
  }
}

const onDevice = (device: string, cidrs: readonly Cidr[]): Address[] =>
  cidrs.map((cidr) => ({ ...toCidr(cidr), interface: device }));

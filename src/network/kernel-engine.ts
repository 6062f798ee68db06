import { statSync } from 'node:fs';
import type { Logger } from '../runtime/log.ts';
import type { Address } from './address.ts';
import { assertAssignable } from './assignable.ts';
import {
  addBridgeAddresses,
  ensureBridge,
  hasBridgeOrPairs,
  removeBridge,
  removeBridgeAddresses,
} from './bridge.ts';
import { networkOf, toCidr, without } from './cidr.ts';
import { hostNetworkError, ownNamespace } from './container-namespace.ts';
import type {
  AttachResult,
  AttachTarget,
  BridgeNeighbour,
  Cidr,
  HostNetwork,
  InterfaceMaker,
  LinkOptions,
  MasqueradeOptions,
  NetworkEngine,
} from './engine.ts';
import type { Firewall } from './firewall/firewall.ts';
import { hostEndName } from './host-end.ts';
import { readRoutes } from './host-networks.ts';
import { formatMac } from './mac.ts';
import { NamespaceLocks } from './namespace-locks.ts';
import { type NamespaceListener, NamespaceWatch } from './namespace-watch.ts';
import { readNeighbours } from './neighbours.ts';
import type { DeviceAddress } from './netlink/address.ts';
import { kernelFailure, namespaceGone } from './netlink/kernel-error.ts';
import { type Libc, loadLibc } from './netlink/libc.ts';
import type { Link } from './netlink/link.ts';
import { Namespace, namespaceId } from './netlink/namespace.ts';
import { RouteSocket } from './netlink/route-socket.ts';
import {
  addressesOn,
  allAddresses,
  allLinks,
  findLink,
  findLinkByIndex,
  ipv4Addresses,
  MAX_PER_CONTAINER,
} from './netlink/tables.ts';
import { attachPair, detachPair, type PairOptions, type Sides } from './veth.ts';

export interface KernelEngineNeeds {
  readonly firewall: Firewall;
  /**
   * Makes sure that a namespace path still belongs to this container. It is called while the namespace is open, so that
   * no other namespace can be changed afterwards.
   * @throws HeddleError `not-running`
   */
  readonly confirm?: (nsPath: string, container: string) => Promise<void>;
  readonly log: Logger;
}

/** The engine for the real kernel, over rtnetlink. It must run in the host's network namespace. */
export class KernelEngine implements NetworkEngine {
  readonly #firewall: Firewall;
  readonly #confirm: NonNullable<KernelEngineNeeds['confirm']>;
  readonly #options: PairOptions;
  readonly #watch: NamespaceWatch;
  readonly #locks = new NamespaceLocks();
  /**
   * Shared by all calls for containers: opening a socket takes as long as a request. Requests on it must be synchronous,
   * because an answer to a pending request would be read, and lost, by the next one.
   */
  #host: RouteSocket | undefined;

  constructor(needs: KernelEngineNeeds, options: PairOptions) {
    this.#firewall = needs.firewall;
    this.#confirm = needs.confirm ?? (async () => {});
    this.#options = options;
    this.#watch = new NamespaceWatch(needs);
  }

  async ensureBridge(): Promise<void> {
    await onHost(`make bridge ${this.#options.bridge}`, (host) => ensureBridge(host, this.#options));
    await this.#firewall.ensureRules();
  }

  async restoreBridge(): Promise<boolean> {
    const { bridge } = this.#options;
    const isNeeded = await onHost(`find bridge ${bridge}`, (host) => hasBridgeOrPairs(host, bridge));
    if (!isNeeded) return false;
    await this.ensureBridge();
    return true;
  }

  async expose(cidrs: readonly Cidr[], { unmasqueraded = [] }: MasqueradeOptions = {}): Promise<void> {
    assertAssignable(cidrs);
    const { bridge } = this.#options;
    await this.ensureBridge();
    await this.#firewall.isolate();
    const all = await onHost(`expose bridge ${bridge}`, (host) => addBridgeAddresses(host, bridge, cidrs));
    const masqueraded = without(all, unmasqueraded).map(networkOf);
    await this.#firewall.masquerade(without(cidrs, unmasqueraded).map(networkOf));
    await this.#firewall.unmasquerade(without(cidrs.map(networkOf), masqueraded));
  }

  async hide(cidrs: readonly Cidr[], { unmasqueraded = [] }: MasqueradeOptions = {}): Promise<void> {
    const { bridge } = this.#options;
    const remaining = await onHost(`hide bridge ${bridge}`, (host) =>
      removeBridgeAddresses(host, bridge, cidrs),
    );
    const masqueraded = without(remaining, unmasqueraded).map(networkOf);
    await this.#firewall.unmasquerade(without(cidrs.map(networkOf), masqueraded));
  }

  async removeBridge(): Promise<void> {
    await onHost(`remove bridge ${this.#options.bridge}`, (host) => removeBridge(host, this.#options.bridge));
    await this.#firewall.removeRules();
  }

  async attach(
    target: AttachTarget,
    cidrs: readonly Cidr[],
    options: LinkOptions = {},
  ): Promise<AttachResult> {
    assertAssignable(cidrs);
    return this.#change('attach', target, (sides) =>
      attachPair(sides, target.container, cidrs, { ...this.#options, ...options }),
    );
  }

  async detach(target: AttachTarget, cidrs: readonly Cidr[]): Promise<{ readonly removed: readonly Cidr[] }> {
    const removed = await this.#change('detach', target, (sides) => detachPair(sides, cidrs, this.#options));
    return { removed };
  }

  async addresses(nsPath: string, container?: string): Promise<readonly Address[]> {
    return this.#read('read the addresses', { nsPath, container }, ({ host, inside, namespace }) => {
      this.#watch.learn(host, namespace);
      const devices = new Map(
        allLinks(inside, MAX_PER_CONTAINER)
          .filter(({ up, loopback }) => up && !loopback)
          .map(({ index, name }) => [index, name]),
      );
      return allAddresses(inside, MAX_PER_CONTAINER).flatMap((address) => {
        const name = devices.get(address.device);
        return name === undefined ? [] : [addressOf(address, name)];
      });
    });
  }

  async hostAddresses(device: string): Promise<readonly Address[]> {
    return onHost(`read the addresses of ${device}`, (host) => {
      const link = findLink(host, device);
      return link ? addressesOn(host, link.index).map((address) => addressOf(address, device)) : [];
    });
  }

  async hostNetworks(): Promise<readonly HostNetwork[]> {
    const routes = readRoutes();
    const networks = await onHost("read this host's addresses", (host) =>
      ipv4Addresses(host).map((address) => ({
        network: networkOf(address),
        ip: address.ip,
        device: address.label.replace(/:.*$/, ''),
      })),
    );
    return [...networks, ...routes].filter(({ device }) => device !== this.#options.bridge);
  }

  async mac(nsPath: string): Promise<string | undefined> {
    return this.#read('read the MAC', { nsPath }, ({ inside }) =>
      macText(findLink(inside, this.#options.interface)),
    );
  }

  async hostMac(device: string): Promise<string | undefined> {
    return onHost(`read the MAC of ${device}`, (host) => macText(findLink(host, device)));
  }

  async bridgeNeighbours(): Promise<readonly BridgeNeighbour[]> {
    return onHost('read the neighbours on the bridge', (host) => {
      const bridge = findLink(host, this.#options.bridge);
      return bridge ? readNeighbours(host, bridge.index) : [];
    });
  }

  async interfaceMaker(nsPath: string): Promise<InterfaceMaker | undefined> {
    return this.#read('inspect the interface', { nsPath }, ({ host, inside, namespace }) => {
      const link = findLink(inside, this.#options.interface);
      if (!link) return undefined;
      const end = findLinkByIndex(host, link.peer);
      const isOurPeer =
        end?.kind === 'veth' &&
        end.peer === link.index &&
        end.peerNamespace !== undefined &&
        end.peerNamespace === namespaceId(host, namespace);
      if (!isOurPeer) return 'container';
      if (end.name === hostEndName(namespace.inode)) return 'heddle';
      return end.master !== 0 && end.master === findLink(host, this.#options.bridge)?.index
        ? 'another'
        : 'container';
    });
  }

  async watch(changed: NamespaceListener): Promise<{ stop(): Promise<void> }> {
    return this.#watch.add(await loadLibc(), changed);
  }

  /** Reads from a container's namespace. This changes nothing, so it takes no lock. */
  async #read<T>(
    attempt: string,
    { nsPath, container }: { readonly nsPath: string; readonly container?: string | undefined },
    read: (sides: Sides) => T,
  ): Promise<T> {
    try {
      const libc = await loadLibc();
      using namespace = containerAt(nsPath);
      if (container !== undefined) await this.#assertSame(namespace, { nsPath, container });
      using inside = namespace.connect(libc);
      return read({ host: this.#hostSocket(libc), inside, namespace });
    } catch (error) {
      throw kernelFailure(`${attempt} in ${nsPath}`, error);
    }
  }

  /** Changes a container's network: opens and locks its namespace, and passes a socket for either side. */
  async #change<T>(
    verb: string,
    { nsPath, container }: AttachTarget,
    run: (sides: Sides) => Promise<T>,
  ): Promise<T> {
    try {
      const libc = await loadLibc();
      using namespace = containerAt(nsPath);
      await this.#locks.acquire(libc, namespace);
      await this.#assertSame(namespace, { nsPath, container });
      const host = this.#hostSocket(libc);
      using inside = namespace.connect(libc);
      this.#watch.learn(host, namespace);
      return await run({ host, inside, namespace });
    } catch (error) {
      throw kernelFailure(`${verb} container ${container.slice(0, 12)}`, error);
    }
  }

  /** While the namespace was opened and locked, its process may have ended and its pid may have been reused. */
  async #assertSame(namespace: Namespace, { nsPath, container }: AttachTarget): Promise<void> {
    await this.#confirm(nsPath, container);
    if (inodeAt(nsPath) !== namespace.inode) throw namespaceGone(nsPath, { code: 'ENOENT' });
  }

  #hostSocket(libc: Libc): RouteSocket {
    this.#host ??= new RouteSocket(libc);
    return this.#host;
  }
}

async function onHost<T>(attempt: string, run: (host: RouteSocket) => T | Promise<T>): Promise<T> {
  try {
    const libc: Libc = await loadLibc();
    using host = new RouteSocket(libc);
    return await run(host);
  } catch (error) {
    throw kernelFailure(attempt, error);
  }
}

/** @throws HeddleError `host-network`, `not-running` */
function containerAt(nsPath: string): Namespace {
  const namespace = new Namespace(nsPath);
  if (namespace.inode !== ownNamespace()) return namespace;
  namespace[Symbol.dispose]();
  throw hostNetworkError();
}

function inodeAt(nsPath: string): number {
  try {
    return statSync(nsPath).ino;
  } catch (error) {
    throw namespaceGone(nsPath, error);
  }
}

const macText = (link: Link | undefined): string | undefined => link && formatMac(link.mac);

const addressOf = (address: DeviceAddress, name: string): Address => ({
  ...toCidr(address),
  interface: name,
});

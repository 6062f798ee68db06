import type { ContainerResolver, DnsPreferences } from '../dns/args.ts';
import { HeddleError } from '../errors.ts';
import { toCidr } from '../network/cidr.ts';
import type { Cidr, NetworkEngine } from '../network/engine.ts';

export interface BridgeAddressesNeeds {
  readonly network: Pick<NetworkEngine, 'hostAddresses'>;
  /** Name of Docker's own bridge. */
  dockerBridge(): Promise<string>;
}

export interface BridgeAddressesOptions {
  /** Name of the bridge that containers are attached to. */
  readonly bridge: string;
  /** Whether DNS is served on the bridges. */
  readonly dns: boolean;
  readonly dnsSearch: ContainerResolver['search'];
}

/** The addresses of the bridges at which containers reach this host, and of the resolver on them. */
export class BridgeAddresses {
  readonly #needs: BridgeAddressesNeeds;
  readonly #options: BridgeAddressesOptions;

  constructor(needs: BridgeAddressesNeeds, options: BridgeAddressesOptions) {
    this.#needs = needs;
    this.#options = options;
  }

  /** Addresses of our bridge, with the prefix of their networks. */
  async subnets(): Promise<readonly Cidr[]> {
    return (await this.#needs.network.hostAddresses(this.#options.bridge)).map(toCidr);
  }

  /** The addresses of both bridges. */
  async all(): Promise<readonly string[]> {
    const { network, dockerBridge } = this.#needs;
    const { bridge } = this.#options;
    const devices = new Set([bridge, await dockerBridge().catch(() => bridge)]);
    const addresses = await Promise.all(Array.from(devices, (name) => network.hostAddresses(name)));
    return addresses.flat().map(({ ip }) => ip);
  }

  /** The address of Docker's bridge, at which containers query us. @throws HeddleError `not-found` */
  async dnsAddress(): Promise<string> {
    return this.#addressOf(await this.#needs.dockerBridge());
  }

  /** That address and the search domains; undefined where no DNS is served on the bridges. */
  async resolver(
    { onlyAttached }: Pick<DnsPreferences, 'onlyAttached'> = { onlyAttached: false },
  ): Promise<ContainerResolver | undefined> {
    const { dns, dnsSearch: search } = this.#options;
    if (!dns) return undefined;
    return { address: onlyAttached ? await this.#attachedAddress() : await this.dnsAddress(), search };
  }

  /** What a container without any other network reaches. @throws HeddleError `not-found` */
  async #attachedAddress(): Promise<string> {
    const { bridge } = this.#options;
    const addresses = await this.#needs.network.hostAddresses(bridge).catch(() => []);
    if (addresses.length > 0) return await this.#addressOf(bridge);
    throw new HeddleError(
      'not-found',
      `a container with --network none reaches only the bridge ${bridge}, which has no address: ` +
        'give it one in the network of the container with heddle expose, or leave --network none out',
    );
  }

  /** IPv4 first: a container without IPv6 can reach it. */
  async #addressOf(device: string): Promise<string> {
    const addresses = await this.#needs.network.hostAddresses(device);
    const address = addresses.find(({ family }) => family === 4) ?? addresses[0];
    if (address) return address.ip;
    throw new HeddleError(
      'not-found',
      `the bridge ${device} has no address, or there is no such device; start Docker, or name the bridge with DOCKER_BRIDGE`,
    );
  }
}

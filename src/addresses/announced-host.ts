import type { Snapshot } from '../docker/snapshot.ts';
import { defaultRouteAddress } from './default-route.ts';
import { cachedInterfaceAddresses, interfaceAddresses } from './interface-addresses.ts';
import { isReachable } from './reachable.ts';

/** The address at which other hosts reach this one, and its source. */
export interface HostAddress {
  readonly ip: string;
  /** `--ip`, `the default route`, … */
  readonly origin: string;
}

export interface AnnouncedHostNeeds {
  /** `--ip` */
  readonly ipOption: string | undefined;
  /** The host that Marathon passes to a task in HOST; undefined for a container that is no task. */
  readonly taskHost?: (container: Snapshot) => string | undefined;
  /** The address that Consul's agent advertises, if there is an agent. */
  advertised(): string | undefined;
  /** All addresses of this host's interfaces. */
  readonly ownAddresses?: () => ReadonlySet<string>;
  readonly defaultRoute?: () => Promise<string | undefined>;
}

/**
 * Chooses the address of this host, in this order: `--ip`; for a Marathon task, its HOST; the address that Consul's agent
 * advertises, if it belongs to this host; the source address of the default route. An agent in a container advertises
 * the container's address, and an agent in development mode 127.0.0.1: neither leads other hosts to this one.
 */
export class AnnouncedHost {
  readonly #needs: Required<AnnouncedHostNeeds>;

  constructor(needs: AnnouncedHostNeeds) {
    const ownAddresses = cachedInterfaceAddresses(needs.ownAddresses ?? interfaceAddresses);
    this.#needs = { defaultRoute: defaultRouteAddress, taskHost: () => undefined, ...needs, ownAddresses };
  }

  /** The address of this host for the services of one container. */
  async of(container: Snapshot): Promise<HostAddress | undefined> {
    const { ipOption, taskHost } = this.#needs;
    const ip = ipOption === undefined ? taskHost(container) : undefined;
    return ip === undefined ? await this.find() : { ip, origin: "HOST of Marathon's task" };
  }

  async find(): Promise<HostAddress | undefined> {
    const { ipOption, advertised, defaultRoute } = this.#needs;
    if (ipOption !== undefined) return { ip: ipOption, origin: '--ip' };
    const ofAgent = advertised();
    const problem = ofAgent === undefined ? undefined : this.#whyUnusable(ofAgent);
    if (ofAgent !== undefined && problem === undefined) return { ip: ofAgent, origin: "Consul's agent" };
    const ip = await defaultRoute();
    return ip === undefined
      ? undefined
      : { ip, origin: `the default route${problem ? `, as ${problem}` : ''}` };
  }

  #whyUnusable(advertised: string): string | undefined {
    const finding = `Consul's agent advertises ${advertised || 'nothing'}`;
    if (!isReachable(advertised)) return `${finding}, which no other host can use`;
    const isOwn = this.#needs.ownAddresses().has(advertised.toLowerCase());
    return isOwn ? undefined : `${finding}, which is not an address of this host`;
  }
}

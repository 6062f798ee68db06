import type { Snapshot } from '../docker/snapshot.ts';
import { defaultRouteAddress } from './default-route.ts';
import { cachedInterfaceAddresses, interfaceAddresses } from './interface-addresses.ts';
import { isReachable } from './reachable.ts';

/** The address at which other hosts reach this one, and where it comes from. */
export interface HostAddress {
  readonly ip: string;
  /** `--ip`, `the default route`, … */
  readonly origin: string;
}

export interface AnnouncedHostNeeds {
  /** `--ip` */
  readonly ipOption: string | undefined;
  /** The address that Consul's agent advertises, if there is an agent. */
  advertised(): string | undefined;
  /** The host that a scheduler names to the task in a container. */
  readonly taskHost?: (snapshot: Snapshot) => string | undefined;
  /** All addresses of this host's interfaces. */
  readonly ownAddresses?: () => ReadonlySet<string>;
  readonly defaultRoute?: () => Promise<string | undefined>;
}

/**
 * Which address stands for this host: the one that was ipOption, else the one that Consul's agent advertises if it is this
 * host's own, else that of the default route. An agent in a container advertises its container's address, one in
 * development mode 127.0.0.1: neither leads other hosts here.
 */
export class AnnouncedHost {
  readonly #needs: Required<Omit<AnnouncedHostNeeds, 'taskHost'>> & AnnouncedHostNeeds;

  constructor(needs: AnnouncedHostNeeds) {
    const ownAddresses = cachedInterfaceAddresses(needs.ownAddresses ?? interfaceAddresses);
    this.#needs = { defaultRoute: defaultRouteAddress, ...needs, ownAddresses };
  }

  /** For one container: the host that Marathon names to its task goes before everything but `--ip`. */
  async of(container: Snapshot): Promise<HostAddress | undefined> {
    const ip = this.#needs.ipOption === undefined ? this.#needs.taskHost?.(container) : undefined;
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
    const says = `Consul's agent advertises ${advertised || 'nothing'}`;
    if (!isReachable(advertised)) return `${says}, which no other host can use`;
    const isOwn = this.#needs.ownAddresses().has(advertised.toLowerCase());
    return isOwn ? undefined : `${says}, which is not an address of this host`;
  }
}

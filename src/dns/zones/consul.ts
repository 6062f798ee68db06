import type { UpstreamClient } from '../upstream-client.ts';
import type { Upstream } from '../upstreams.ts';
import type { Question, Resolved, Zone } from '../zone.ts';
import { parseServiceName } from './names.ts';
import type { ServiceZoneSettings } from './settings.ts';

export interface ConsulZoneNeeds {
  readonly client: Pick<UpstreamClient, 'ask'>;
  /** Where Consul's own DNS answers. */
  readonly server: Upstream;
}

/** Names that only Consul can answer, asked from its own DNS: those of other datacenters, and prepared queries. */
export class ConsulZone implements Zone {
  readonly name = 'consul';
  readonly #needs: ConsulZoneNeeds;
  readonly #settings: Pick<ServiceZoneSettings, 'domain' | 'datacenter'>;

  constructor(needs: ConsulZoneNeeds, settings: Pick<ServiceZoneSettings, 'domain' | 'datacenter'>) {
    this.#needs = needs;
    this.#settings = settings;
  }

  resolve(question: Question): undefined | Promise<Resolved> {
    return this.#isConsuls(question) ? this.#ask(question) : undefined;
  }

  async #ask(question: Question): Promise<Resolved> {
    return { message: await this.#needs.client.ask(question, { servers: [this.#needs.server] }) };
  }

  #isConsuls({ labels, name, type }: Question): boolean {
    const { domain, datacenter } = this.#settings;
    if (!name.endsWith(`.${domain}`) || type === 'AXFR' || type === 'IXFR') return false;
    // These two are the domain's, and the same for every name below it.
    if (type === 'SOA' || type === 'NS') return false;
    const parsed = parseServiceName(labels.slice(0, -domain.split('.').length), type);
    if (parsed.kind === 'query') return true;
    return 'datacenter' in parsed && parsed.datacenter !== undefined && parsed.datacenter !== datacenter;
  }
}

import type { OtherNames } from '../other-names.ts';
import { decodedReply, withOwner } from '../wire/decoded.ts';
import { isBelow } from '../wire/name.ts';
import { renamed } from '../wire/renamed.ts';
import type { Question, Resolved, Zone } from '../zone.ts';
import { parseServiceName } from './service-names.ts';
import type { ServiceZoneSettings } from './settings.ts';

export interface ConsulZoneNeeds {
  /** Consul's own DNS. */
  readonly consul: OtherNames;
}

type ConsulZoneSettings = Pick<ServiceZoneSettings, 'domain' | 'altDomain' | 'datacenter'>;

/**
 * Names that only Consul can answer: other datacenters, prepared queries, and the service mesh. Consul's own DNS is
 * asked for them. It need not serve our second domain: names there are asked below the first one instead.
 */
export class ConsulZone implements Zone {
  readonly name = 'consul';
  readonly #consul: OtherNames;
  readonly #settings: ConsulZoneSettings;

  constructor({ consul }: ConsulZoneNeeds, settings: ConsulZoneSettings) {
    this.#consul = consul;
    this.#settings = settings;
  }

  resolve(question: Question): undefined | Promise<Resolved> {
    const { domain, altDomain = domain } = this.#settings;
    const own = [domain, altDomain.toLowerCase()].find((end) => isBelow(question.name, end));
    if (own === undefined || !this.#isConsuls(question, own)) return undefined;
    return own === domain ? this.#consul.resolve(question) : this.#renamed(question, own);
  }

  async #renamed(question: Question, own: string): Promise<Resolved> {
    const there = movedBelow(question, own, this.#settings.domain);
    const found = there && (await this.#consul.resolve(there));
    if (!there || !found || !('message' in found)) return found;
    const reply = decodedReply(Buffer.from(found.message));
    return reply && withOwner(reply, there.name, question.asked);
  }

  #isConsuls({ labels, type }: Question, own: string): boolean {
    if (type === 'AXFR' || type === 'IXFR') return false;
    // SOA and NS belong to the domain, and are the same for every name below it.
    if (type === 'SOA' || type === 'NS') return false;
    const parsed = parseServiceName(labels.slice(0, -own.split('.').length), type);
    if (parsed.kind === 'consul') return true;
    const { datacenter } = this.#settings;
    return 'datacenter' in parsed && parsed.datacenter !== undefined && parsed.datacenter !== datacenter;
  }
}

/** The same question below another domain; undefined if the name would be too long. */
const movedBelow = (question: Question, from: string, to: string): Question | undefined =>
  renamed(question, `${question.asked.slice(0, -from.length)}${to}`);

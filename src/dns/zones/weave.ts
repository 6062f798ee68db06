import { isIPv6 } from 'node:net';
import type { NameTable } from '../names/name-table.ts';
import { isWithin } from '../wire/name.ts';
import {
  emptyReply,
  maxAnswers,
  type Question,
  type Reply,
  type ResourceRecord,
  type Zone,
} from '../zone.ts';
import { type Random, shuffled } from './shuffle.ts';
import { wallClock } from './wall-clock.ts';

export interface WeaveZoneNeeds {
  readonly names: Pick<NameTable, 'addresses' | 'exists'>;
  readonly random?: Random;
  /** Milliseconds since 1970; the SOA's serial is its seconds. */
  readonly now?: () => number;
}

/** Seconds, for positive and negative answers, as in weaveDNS: containers come and go. */
export const WEAVE_TTL = 1;

/** What clients ask of top-level domains: servers, and keys by DS (43) and DNSKEY (48). These types mean no host. */
const TOP_LEVEL_TYPES: ReadonlySet<string> = new Set(['NS', 'SOA', 'TYPE43', 'TYPE48']);

/** The names of containers below one domain, and every single label: in this host's networks, `web` is a container. */
export class WeaveZone implements Zone {
  readonly name = 'weave';
  readonly #needs: Required<WeaveZoneNeeds>;
  readonly #domain: string;

  constructor(needs: WeaveZoneNeeds, options: { readonly domain: string }) {
    this.#needs = { random: Math.random, now: wallClock, ...needs };
    this.#domain = options.domain;
  }

  resolve(question: Question): Reply | undefined {
    const { labels, name, asked, type } = question;
    const isInside = isWithin(name, this.#domain);
    if (!isInside && (labels.length !== 1 || TOP_LEVEL_TYPES.has(type))) return undefined;
    if (type === 'AXFR' || type === 'IXFR') return emptyReply('NOTIMP', true);
    const full = isInside ? name : `${name}.${this.#domain}`;
    // Our SOA does not cover a single label, which lies outside our domain.
    const authorities = isInside ? [this.#soa()] : [];
    if (full === this.#domain) {
      const isSoa = type === 'SOA' || type === 'ANY';
      return { ...emptyReply('NOERROR', true), ...(isSoa ? { answers: authorities } : { authorities }) };
    }
    if (!this.#needs.names.exists(full)) return { ...emptyReply('NXDOMAIN', true), authorities };
    const fitting = this.#needs.names
      .addresses(full)
      .filter((ip) => type === 'ANY' || type === (ip.includes(':') ? 'AAAA' : 'A'));
    const answers = [...shuffled(fitting, this.#needs.random)]
      .slice(0, maxAnswers(question))
      .map((ip) => ({ name: asked, ttl: WEAVE_TTL, type: isIPv6(ip) ? 'AAAA' : 'A', data: ip }) as const);
    return { ...emptyReply('NOERROR', true), answers, authorities: answers.length === 0 ? authorities : [] };
  }

  #soa(): ResourceRecord {
    const data = {
      mname: `ns.${this.#domain}`,
      rname: `hostmaster.${this.#domain}`,
      serial: Math.floor(this.#needs.now() / 1000),
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: WEAVE_TTL,
    };
    return { name: this.#domain, ttl: WEAVE_TTL, type: 'SOA', data };
  }
}

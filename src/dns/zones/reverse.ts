import { BlockList, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { contains } from '../../network/cidr.ts';
import type { Cidr } from '../../network/engine.ts';
import type { Instance, View } from '../../registry/registry.ts';
import type { Service } from '../../services/service.ts';
import { relayedRcode } from '../forward/relay.ts';
import type { NameTable } from '../names/name-table.ts';
import type { OtherNames } from '../other-names.ts';
import {
  emptyReply,
  type Question,
  RCODES,
  type Reply,
  type Resolved,
  type ResourceRecord,
  type Zone,
} from '../zone.ts';
import { apexRecords } from './apex.ts';
import type { ServiceZoneSettings } from './settings.ts';
import { wallClock } from './wall-clock.ts';
import { WEAVE_TTL } from './weave.ts';

export interface ReverseZoneNeeds {
  readonly view: Pick<View, 'byAddress'>;
  readonly names: Pick<NameTable, 'nameOf'>;
  /** Consul's own DNS, which knows the addresses of other hosts; without it, those are unknown. */
  readonly consul?: OtherNames | undefined;
  /** Whether a service's container was seen with an address: one from its metadata alone names no service. */
  readonly has?: (service: Service, ip: string) => boolean;
  /** The networks that containers are attached to, now: unknown private addresses there get NXDOMAIN, too. */
  readonly networks?: () => Promise<readonly Cidr[]>;
  /** Milliseconds since 1970, for the SOA's serial. */
  readonly now?: () => number;
}

/**
 * Names of addresses (RFC 1035 §3.5, RFC 3596 §2.5). In this order: an explicit name below the domain of containers,
 * the node of the address, its service, its container. Consul is asked for addresses of other hosts.
 */
export class ReverseZone implements Zone {
  readonly name = 'reverse';
  readonly #view: Pick<View, 'byAddress'>;
  readonly #names: Pick<NameTable, 'nameOf'>;
  readonly #consul: OtherNames | undefined;
  readonly #has: (service: Service, ip: string) => boolean;
  readonly #networks: () => Promise<readonly Cidr[]>;
  readonly #now: () => number;
  readonly #settings: ServiceZoneSettings;
  readonly #ranges = new BlockList();

  /** @param ranges networks in CIDR form that only containers use: unknown addresses there get NXDOMAIN */
  constructor(
    { view, names, consul, has = () => true, networks = async () => [], now = wallClock }: ReverseZoneNeeds,
    settings: ServiceZoneSettings,
    ranges: readonly string[],
  ) {
    this.#view = view;
    this.#names = names;
    this.#consul = consul;
    this.#has = has;
    this.#networks = networks;
    this.#now = now;
    this.#settings = settings;
    for (const range of ranges) {
      const [network, length] = ipaddr.parseCIDR(range);
      this.#ranges.addSubnet(network.toString(), length, network.kind());
    }
  }

  async resolve(question: Question): Promise<Resolved> {
    const { labels, asked, type } = question;
    const ip = reverseAddress(labels);
    if (ip === undefined) return undefined;
    const container = this.#names.nameOf(ip);
    if (container?.explicit) return pointer(asked, container.name, WEAVE_TTL);
    const instances = await this.#view.byAddress(ip);
    const known = this.#nameOf(
      ip,
      instances.filter(({ service }) => this.#has(service, ip)),
    );
    if (known === undefined && container) return pointer(asked, container.name, WEAVE_TTL);
    if (known === undefined) return (await this.#fromConsul(ip, question)) ?? this.#unknown(ip);
    // As Consul answers: only one name, whatever the type, and regardless of health.
    const reply = pointer(asked, known, 0);
    return type === 'SOA' ? { ...reply, authorities: [this.#soa()] } : reply;
  }

  /** The name that Consul would give: the node before the services. */
  #nameOf(ip: string, instances: readonly Instance[]): string | undefined {
    const { datacenter, domain, node: own, nodeAddress } = this.#settings;
    const node = ip === nodeAddress ? own : instances.find((instance) => instance.nodeAddress === ip)?.node;
    const [first] = instances;
    const name = node === undefined ? first && `${first.service.name}.service` : `${node}.node`;
    return name && `${name}.${datacenter}.${domain}`;
  }

  /** Consul's name of a private address. */
  async #fromConsul(ip: string, question: Question): Promise<Resolved> {
    if (!this.#consul || !isPrivate(ip)) return undefined;
    // Consul fails for an address that it does not know. While it is unreachable, no other source has the name.
    const found = await this.#consul.resolve(question).catch(() => undefined);
    return found && 'message' in found && hasAnswers(found.message) ? found : undefined;
  }

  async #unknown(ip: string): Promise<Reply | undefined> {
    if (!(await this.#isOurs(ip))) return undefined;
    return { ...emptyReply('NXDOMAIN', true), authorities: [this.#soa()] };
  }

  async #isOurs(ip: string): Promise<boolean> {
    if (this.#ranges.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')) return true;
    // A container's label can name any network: only a private one is trusted, so that no label hides public names.
    return (
      isPrivate(ip) && (await this.#networks()).some((network) => isNarrow(network) && contains(network, ip))
    );
  }

  #soa(): ResourceRecord {
    return apexRecords(this.#settings, Math.floor(this.#now() / 1000)).soa;
  }
}

/** The shortest prefix of an attached network whose unknown addresses get NXDOMAIN, by family. */
const WIDEST = { 4: 16, 6: 48 } as const;

const isNarrow = ({ family, prefixLength }: Cidr): boolean => prefixLength >= WIDEST[family];

/** RFC 1918 and RFC 4193. */
const PRIVATE: ReadonlySet<string> = new Set(['private', 'uniqueLocal']);

const isPrivate = (ip: string): boolean => PRIVATE.has(ipaddr.parse(ip).range());

const hasAnswers = (message: Uint8Array): boolean =>
  relayedRcode(message) === RCODES.NOERROR && Buffer.from(message).readUInt16BE(6) > 0;

function pointer(owner: string, name: string, ttl: number): Reply {
  return { ...emptyReply('NOERROR', true), answers: [{ name: owner, ttl, type: 'PTR', data: name }] };
}

/** The address of a complete reverse name; undefined for other names, and for parts of addresses. */
export function reverseAddress(labels: readonly string[]): string | undefined {
  const spelled = labels.slice(0, -2).reverse();
  const suffix = labels.slice(-2).join('.');
  if (suffix === 'in-addr.arpa' && spelled.length === 4) {
    const ip = spelled.join('.');
    return ipaddr.IPv4.isValidFourPartDecimal(ip) ? ip : undefined;
  }
  if (
    suffix === 'ip6.arpa' &&
    spelled.length === 32 &&
    spelled.every((nibble) => /^[0-9a-f]$/.test(nibble))
  ) {
    return ipaddr.fromByteArray([...Buffer.from(spelled.join(''), 'hex')]).toString();
  }
  return undefined;
}

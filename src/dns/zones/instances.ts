import type { Instance } from '../../registry/registry.ts';
import type { Service } from '../../services/service.ts';
import { isName } from '../wire/name.ts';
import type { ResourceRecord } from '../zone.ts';
import { type Endpoint, hexOf, type IpEndpoint, parseEndpoint } from './endpoint.ts';
import { type Random, shuffled } from './shuffle.ts';

/** An instance and where it is reached: at its own address, or at its node's if it has none. */
export interface Located {
  readonly instance: Instance;
  readonly endpoint: Endpoint;
  readonly atNode: boolean;
}

/**
 * Where clients that ask for a type reach an instance. If its address is the name asked for, it is reached at its
 * node: a name cannot be an alias of itself. Undefined if DNS cannot express its address.
 */
function locate(
  instance: Instance,
  asked: { readonly name: string; readonly type: string },
): Located | undefined {
  const address = addressFor(instance.service, asked.type);
  const own = address === '' ? undefined : endpointOf(instance.service, address);
  const atNode =
    address === '' || (own !== undefined && 'host' in own && own.host.toLowerCase() === asked.name);
  const endpoint = atNode ? parseEndpoint(instance.nodeAddress) : own;
  return endpoint && { instance, endpoint, atNode };
}

/** Where instances are reached, in random order. Computed lazily, since a name may have thousands. */
export function* located(
  instances: readonly Instance[],
  asked: { readonly name: string; readonly type: string },
  random: Random,
): Generator<Located> {
  for (const instance of shuffled(instances, random)) {
    const found = locate(instance, asked);
    if (found) yield found;
  }
}

/** The parsed addresses of services: each question needs many of them. */
const read = new WeakMap<Service, { readonly address: string; readonly endpoint: Endpoint | undefined }>();

function endpointOf(service: Service, address: string): Endpoint | undefined {
  const known = read.get(service);
  if (known?.address === address) return known.endpoint;
  const endpoint = parseEndpoint(address);
  read.set(service, { address, endpoint });
  return endpoint;
}

/** IPv6 if the type allows either family, as Consul does. */
function addressFor({ address, addresses: { ipv4, ipv6 } = {} }: Service, type: string): string {
  if (type === 'A') return ipv4 ?? address;
  if (type === 'AAAA') return ipv6 ?? address;
  return ipv6 ?? ipv4 ?? address;
}

/** Whether two lists have the same instances. Services are compared by identity: a changed service is a new object. */
export function sameInstances(one: readonly Instance[], other: readonly Instance[]): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) {
    const [before, after] = [one[index] as Instance, other[index] as Instance];
    if (before.service !== after.service || before.status !== after.status) return false;
    if (before.node !== after.node || before.nodeAddress !== after.nodeAddress) return false;
  }
  return true;
}

/** The types that an address record of each family answers; TXT is a quirk of Consul. */
const ANSWERED_BY = { 4: ['A', 'ANY', 'TXT'], 6: ['AAAA', 'ANY', 'TXT'] } as const;

export interface AddressQuery {
  readonly owner: string;
  readonly type: string;
  readonly ttl: number;
  /** At most this many records are collected. */
  readonly max: number;
}

interface AddressRecords {
  readonly records: readonly ResourceRecord[];
  /** The first host name among the endpoints that were read. */
  readonly host: string | undefined;
  /** Whether the limit was reached, so that further instances may be left out. */
  readonly hasMore: boolean;
}

/** The address records for a type, each address once. */
export function addressRecords(
  located: Iterable<Located>,
  { owner, type, ttl, max }: AddressQuery,
): AddressRecords {
  const records = new Map<string, ResourceRecord>();
  let host: string | undefined;
  for (const { endpoint } of located) {
    if ('host' in endpoint) host ??= endpoint.host;
    else if (ANSWERED_BY[endpoint.family].some((answered) => answered === type)) {
      if (!records.has(endpoint.ip)) records.set(endpoint.ip, addressRecord(owner, ttl, endpoint));
      if (records.size === max) break;
    }
  }
  return { records: [...records.values()], host, hasMore: records.size === max };
}

export interface SrvContext {
  readonly owner: string;
  readonly ttl: number;
  /** At most this many answers. */
  readonly max: number;
  readonly settings: { readonly datacenter: string; readonly domain: string };
  /** Follows a host name to its addresses. */
  chase(host: string): Promise<readonly ResourceRecord[]>;
}

/** The longest message, and the least bytes of an SRV record besides its target: more records would be cut anyway. */
const [LONGEST_MESSAGE, SRV_BYTES] = [65_535, 18];

/** Host names of one answer that are followed; each may cost a query to an upstream server. */
const MAX_CHASED = 8;

interface SrvRecords {
  readonly answers: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /** Whether a target is a host name: changes of its addresses are not reported to us. */
  readonly hasHosts: boolean;
  /** Whether the limit was reached, so that further instances may be left out. */
  readonly hasMore: boolean;
}

/** One SRV record for each node, address and port, and the address records of their targets. */
export async function srvRecords(
  located: Iterable<Located>,
  { owner, ttl, max, settings, chase }: SrvContext,
): Promise<SrvRecords> {
  const answers: ResourceRecord[] = [];
  const addresses: ResourceRecord[] = [];
  const hosts = new Set<string>();
  const seen = new Set<string>();
  let [bytes, hasMore] = [0, false];
  for (const { instance, endpoint, atNode } of located) {
    const { service, node, status } = instance;
    const target = targetOf(endpoint, atNode ? node : undefined, settings);
    const key = `${node} ${target} ${service.port}`;
    if (seen.has(key) || !isName(target)) continue;
    seen.add(key);
    const weight = status === 'warning' ? service.weights.warning : service.weights.passing;
    // Consul's catalog accepts any number; on the wire, weight and port have 16 bits.
    const data = { priority: 1, weight: weight & 0xffff, port: service.port & 0xffff, target };
    answers.push({ name: owner, ttl, type: 'SRV', data });
    if ('host' in endpoint) hosts.add(endpoint.host);
    else addresses.push(addressRecord(target, ttl, endpoint));
    // A target with escaped bytes is shorter in a message than as text.
    bytes += SRV_BYTES + (target.includes('\\') ? 0 : target.length);
    hasMore = answers.length === max || bytes > LONGEST_MESSAGE;
    if (hasMore) break;
  }
  const chased = await Promise.all([...hosts].slice(0, MAX_CHASED).map(chase));
  return {
    answers,
    additionals: withoutDuplicates([...addresses, ...chased.flat()]),
    hasHosts: hosts.size > 0,
    hasMore,
  };
}

function targetOf(
  endpoint: Endpoint,
  node: string | undefined,
  { datacenter, domain }: SrvContext['settings'],
): string {
  if ('host' in endpoint) return endpoint.host;
  if (node !== undefined) return `${node}.node.${datacenter}.${domain}`;
  return `${hexOf(endpoint.ip)}.addr.${datacenter}.${domain}`;
}

/** The A or AAAA record of an address. */
export function addressRecord(name: string, ttl: number, { family, ip }: IpEndpoint): ResourceRecord {
  return { name, ttl, type: family === 4 ? 'A' : 'AAAA', data: ip };
}

/** The records without duplicates. */
function withoutDuplicates(records: readonly ResourceRecord[]): ResourceRecord[] {
  return [
    ...new Map(
      records.map((record) => {
        const data = typeof record.data === 'string' ? record.data : JSON.stringify(record.data);
        return [`${record.name} ${record.type} ${data}`, record];
      }),
    ).values(),
  ];
}

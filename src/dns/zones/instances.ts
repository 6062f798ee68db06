import type { Instance } from '../../registry/registry.ts';
import type { Service } from '../../services/service.ts';
import { isName } from '../wire/name.ts';
import type { ResourceRecord } from '../zone.ts';
import { type Endpoint, hexOf, type IpEndpoint, parseEndpoint } from './endpoint.ts';
import { type Random, shuffled } from './shuffle.ts';

/** An instance and where it is reached: at its own address, or at its node's when it has none. */
export interface Located {
  readonly instance: Instance;
  readonly endpoint: Endpoint;
  readonly atNode: boolean;
}

/**
 * Where an instance is reached by those who ask for a type. One whose address is the very name asked for is reached
 * at its node, since the name cannot stand for itself; one whose address DNS cannot express is left out.
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

/** Where instances are reached, in a random order, as far as somebody takes them: a name may have thousands. */
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

/** What the addresses of services mean, read once: each question comes by many of them. */
const read = new WeakMap<Service, { readonly address: string; readonly endpoint: Endpoint | undefined }>();

function endpointOf(service: Service, address: string): Endpoint | undefined {
  const known = read.get(service);
  if (known?.address === address) return known.endpoint;
  const endpoint = parseEndpoint(address);
  read.set(service, { address, endpoint });
  return endpoint;
}

/** IPv6 where any is as good, as with Consul. */
function addressFor({ address, addresses: { ipv4, ipv6 } = {} }: Service, type: string): string {
  if (type === 'A') return ipv4 ?? address;
  if (type === 'AAAA') return ipv6 ?? address;
  return ipv6 ?? ipv4 ?? address;
}

/** Whether two lists say the same, by identity: what a service is changed to is a new object. */
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

/** Types that an address record of each family is an answer to; TXT is Consul's quirk. */
const ANSWERED_BY = { 4: ['A', 'ANY', 'TXT'], 6: ['AAAA', 'ANY', 'TXT'] } as const;

export interface AddressAsked {
  readonly owner: string;
  readonly type: string;
  readonly ttl: number;
  /** No more than so many are looked for. */
  readonly most: number;
}

interface AddressRecords {
  readonly records: readonly ResourceRecord[];
  /** The first host name that was met on the way. */
  readonly host: string | undefined;
  /** Whether some were not looked at. */
  readonly hasMore: boolean;
}

/** The address records for a type, each address once. */
export function addressRecords(
  located: Iterable<Located>,
  { owner, type, ttl, most }: AddressAsked,
): AddressRecords {
  const records = new Map<string, ResourceRecord>();
  let host: string | undefined;
  for (const { endpoint } of located) {
    if ('host' in endpoint) host ??= endpoint.host;
    else if (ANSWERED_BY[endpoint.family].some((answered) => answered === type)) {
      if (!records.has(endpoint.ip)) records.set(endpoint.ip, addressRecord(owner, ttl, endpoint));
      if (records.size === most) break;
    }
  }
  return { records: [...records.values()], host, hasMore: records.size === most };
}

export interface SrvContext {
  readonly owner: string;
  readonly ttl: number;
  /** No more answers than so many. */
  readonly most: number;
  readonly settings: { readonly datacenter: string; readonly domain: string };
  /** What is known of a host name's addresses. */
  chase(host: string): Promise<readonly ResourceRecord[]>;
}

/** What no message holds, and what an SRV record takes in it beside its target, at least: whatever is beyond is cut. */
const [LONGEST_MESSAGE, SRV_BYTES] = [65_535, 18];

/** Hosts of one answer whose addresses are asked for; each may take a query to another server. */
const MAX_CHASED = 8;

interface SrvRecords {
  readonly answers: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /** Whether a target is a host name, whose addresses are not ours to know. */
  readonly hasHosts: boolean;
  /** Whether some were not looked at. */
  readonly hasMore: boolean;
}

/** One SRV record for each node, address and port, and the records of their targets. */
export async function srvRecords(
  located: Iterable<Located>,
  { owner, ttl, most, settings, chase }: SrvContext,
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
    // Consul's catalog takes any number; on the wire both have 16 bits.
    const data = { priority: 1, weight: weight & 0xffff, port: service.port & 0xffff, target };
    answers.push({ name: owner, ttl, type: 'SRV', data });
    if ('host' in endpoint) hosts.add(endpoint.host);
    else addresses.push(addressRecord(target, ttl, endpoint));
    // A target with unusual bytes is shorter in a message than it is as text.
    bytes += SRV_BYTES + (target.includes('\\') ? 0 : target.length);
    hasMore = answers.length === most || bytes > LONGEST_MESSAGE;
    if (hasMore) break;
  }
  const chased = await Promise.all([...hosts].slice(0, MAX_CHASED).map(chase));
  return { answers, additionals: once([...addresses, ...chased.flat()]), hasHosts: hosts.size > 0, hasMore };
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

/** Without the records that say what another one says already. */
function once(records: readonly ResourceRecord[]): ResourceRecord[] {
  return [
    ...new Map(
      records.map((record) => {
        const data = typeof record.data === 'string' ? record.data : JSON.stringify(record.data);
        return [`${record.name} ${record.type} ${data}`, record];
      }),
    ).values(),
  ];
}

import ipaddr from 'ipaddr.js';
import { isEveryAddress } from '../../addresses/binding.ts';
import { interfaceAddresses } from '../../addresses/interface-addresses.ts';
import type { Protocol, PublishedPort, Snapshot } from '../../docker/snapshot.ts';
import { contains, familyOf } from '../../network/cidr.ts';
import type { Cidr } from '../../network/engine.ts';
import type { RosterEntry } from '../../roster/entry.ts';
import { taskHost } from '../naming/marathon-task.ts';

/** What decides if a check may target an address. */
export interface CheckBounds {
  /** Networks that the operator allows besides the container's own addresses (`--check-address-allow`). */
  readonly allowed?: readonly Cidr[];
  /** The host's address as set by the operator (`--ip`). */
  readonly hostIp?: string | undefined;
  /** Addresses of the host's interfaces; default: read from the kernel at each call. */
  readonly hostAddresses?: () => ReadonlySet<string>;
  /**
   * Which container Docker or heddle assigned an address to. If neither assigned it: `unsure` if a container of the
   * namespace may have added it itself, even one that has ended since; else undefined.
   */
  readonly assignedTo?: (ip: string, entry: RosterEntry) => 'this' | 'another' | 'unsure' | undefined;
}

/** An address and port that a check, or a client of a service, connects to. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Default tcp: a published UDP port does not make the same TCP port the container's. */
  readonly protocol?: Protocol;
}

/** Ranges that are never a container's own, by ipaddr.js' names. */
const RESERVED: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified',
  broadcast: 'a broadcast',
  multicast: 'a multicast',
  linkLocal: 'a link-local',
  loopback: 'a loopback',
};

/** Why an endpoint is not the container's own; undefined if it is. The port matters only at the host's addresses. */
export function whyNotOwn(
  { address, port, protocol = 'tcp' }: Endpoint,
  entry: RosterEntry,
  bounds: CheckBounds = {},
): string | undefined {
  if (familyOf(address) === undefined) return `${address} is a host name, which may resolve to any address`;
  const range = RESERVED[ipaddr.parse(address).range()];
  if (range !== undefined) return `${address} is ${range} address`;
  const { snapshot, addresses } = entry;
  if (assignedByDocker(snapshot).includes(address)) return undefined;
  if (snapshot.networkMode !== 'host' && addresses.some(({ ip }) => ip === address)) {
    const owner = bounds.assignedTo?.(address, entry);
    if (owner === 'another') return `${address} is another container's address`;
    // The address may belong to a machine outside this host.
    if (owner === 'unsure' || (owner === undefined && snapshot.hasNetAdmin)) {
      return `${address} was assigned by neither Docker nor heddle; the container may have added it itself (NET_ADMIN)`;
    }
    if (hostAddressesOf(bounds).has(address)) return `${address} is the host's address`;
    return undefined;
  }
  if (!isHostAddress(address, entry, bounds)) return `${address} is not the container's own address`;
  if (snapshot.networkMode === 'host' || isPublished({ address, port, protocol }, snapshot)) return undefined;
  return `the container publishes no port at ${address}:${port}`;
}

/** Why a check may not target an endpoint: not the container's own, and not allowed by the operator. */
export function whyNotChecked(
  endpoint: Endpoint,
  entry: RosterEntry,
  bounds: CheckBounds = {},
): string | undefined {
  const why = whyNotOwn(endpoint, entry, bounds);
  if (why === undefined) return undefined;
  const { allowed = [] } = bounds;
  if (allowed.some((network) => contains(network, endpoint.address))) return undefined;
  // A host name may resolve to any address, so it is allowed only if every address is.
  const isEveryAllowed = [4, 6].every((family) =>
    allowed.some((network) => network.family === family && network.prefixLength === 0),
  );
  if (isEveryAllowed) return undefined;
  const how = familyOf(endpoint.address) === undefined ? '' : '; --check-address-allow can allow its network';
  return `checks may only target the container itself, but ${why}${how}`;
}

export function assignedByDocker({ networks }: Snapshot): readonly string[] {
  return networks.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter(Boolean);
}

/** True for the host's addresses. A container's claim does not count: HOST of a Marathon task may be any address. */
function isHostAddress(address: string, { snapshot, choice }: RosterEntry, bounds: CheckBounds): boolean {
  if (address === bounds.hostIp) return true;
  const isAnnounced = choice.chosen && choice.ip === address;
  if (isAnnounced && taskHost(snapshot) !== address) return true;
  const isBinding = snapshot.ports.some((port) => port.published.some(({ hostIp }) => hostIp === address));
  return isBinding || hostAddressesOf(bounds).has(address);
}

function isPublished({ address, port, protocol }: Required<Endpoint>, { ports }: Snapshot): boolean {
  return ports.some(
    (own) =>
      own.protocol === protocol &&
      own.published.some((binding) => binding.hostPort === port && isAt(binding, address)),
  );
}

/** A port published at every IPv4 address is not published at any IPv6 address, and vice versa. */
function isAt(binding: PublishedPort, address: string): boolean {
  if (!isEveryAddress(binding)) return binding.hostIp === address;
  const family = familyOf(binding.hostIp);
  return family === undefined || family === familyOf(address);
}

function hostAddressesOf({ hostAddresses = interfaceAddresses }: CheckBounds): ReadonlySet<string> {
  return hostAddresses();
}

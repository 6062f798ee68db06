import ipaddr from 'ipaddr.js';
import { isEveryAddress } from '../../addresses/binding.ts';
import { interfaceAddresses } from '../../addresses/interface-addresses.ts';
import type { Protocol, PublishedPort, Snapshot } from '../../docker/snapshot.ts';
import { contains, familyOf } from '../../network/cidr.ts';
import type { Cidr } from '../../network/engine.ts';
import type { RosterEntry } from '../../roster/entry.ts';
import { taskHost } from '../naming/marathon-task.ts';

/** What decides whether a check may go to an address. */
export interface CheckBounds {
  /** Networks that the operator allows beside the container's own addresses (`--check-address-allow`). */
  readonly allowed?: readonly Cidr[];
  /** The host's address as the operator gives it (`--ip`). */
  readonly hostIp?: string | undefined;
  /** Addresses of the host's interfaces; default: as the kernel lists them now. */
  readonly hostAddresses?: () => ReadonlySet<string>;
  /**
   * To whom Docker or heddle gave an address. Where neither gave it to anybody: `unsure` where a container of the
   * namespace may have added it, or may have before it ended; undefined else.
   */
  readonly givenTo?: (ip: string, entry: RosterEntry) => 'this' | 'another' | 'unsure' | undefined;
}

/** An address and port that a check, or a client of a service, is sent to. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Default tcp: a port that is published over udp says nothing of who has the same number over tcp. */
  readonly protocol?: Protocol;
}

/** ipaddr.js' names of the ranges that no container can have to itself. */
const RESERVED: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified',
  broadcast: 'a broadcast',
  multicast: 'a multicast',
  linkLocal: 'a link-local',
  loopback: 'a loopback',
};

/** Why an endpoint is not the container's own; undefined where it is. Ports count on the host's addresses alone. */
export function whyNotOwn(
  { address, port, protocol = 'tcp' }: Endpoint,
  entry: RosterEntry,
  bounds: CheckBounds = {},
): string | undefined {
  if (familyOf(address) === undefined) return `${address} is a host name, which may resolve to any address`;
  const range = RESERVED[ipaddr.parse(address).range()];
  if (range !== undefined) return `${address} is ${range} address`;
  const { snapshot, addresses } = entry;
  if (givenByDocker(snapshot).includes(address)) return undefined;
  if (snapshot.networkMode !== 'host' && addresses.some(({ ip }) => ip === address)) {
    const owner = bounds.givenTo?.(address, entry);
    if (owner === 'another') return `${address} is another container's address`;
    // It may be somebody's outside of this host.
    if (owner === 'unsure' || (owner === undefined && snapshot.hasNetAdmin)) {
      return `${address} was given to the container by neither Docker nor heddle, but perhaps by itself (NET_ADMIN)`;
    }
    if (hostAddressesOf(bounds).has(address)) return `${address} is the host's address`;
    return undefined;
  }
  if (!isHostAddress(address, entry, bounds)) return `${address} is not the container's own address`;
  if (snapshot.networkMode === 'host' || isPublished({ address, port, protocol }, snapshot)) return undefined;
  return `the container publishes no port at ${address}:${port}`;
}

/** The same, but for what the operator allows. */
export function whyNotChecked(
  endpoint: Endpoint,
  entry: RosterEntry,
  bounds: CheckBounds = {},
): string | undefined {
  const why = whyNotOwn(endpoint, entry, bounds);
  if (why === undefined) return undefined;
  const { allowed = [] } = bounds;
  if (allowed.some((network) => contains(network, endpoint.address))) return undefined;
  // Only one who allows every address can allow a name.
  const isEveryAllowed = [4, 6].every((family) =>
    allowed.some((network) => network.family === family && network.prefixLength === 0),
  );
  if (isEveryAllowed) return undefined;
  const how = familyOf(endpoint.address) === undefined ? '' : '; --check-address-allow can allow its network';
  return `checks stay inside the container, and ${why}${how}`;
}

export function givenByDocker({ networks }: Snapshot): readonly string[] {
  return networks.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter(Boolean);
}

/** The host's, and not only because a container says so: HOST of a Marathon task may be any address. */
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

/** A port that is published at every IPv4 address is published at no IPv6 one, and the other way round. */
function isAt(binding: PublishedPort, address: string): boolean {
  if (!isEveryAddress(binding)) return binding.hostIp === address;
  const family = familyOf(binding.hostIp);
  return family === undefined || family === familyOf(address);
}

function hostAddressesOf({ hostAddresses = interfaceAddresses }: CheckBounds): ReadonlySet<string> {
  return hostAddresses();
}

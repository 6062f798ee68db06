import { isEveryAddress, isLoopback } from '../addresses/binding.ts';
import type { Choice } from '../addresses/choose-address.ts';
import type { ContainerPort, Snapshot } from '../docker/snapshot.ts';

/** An address and port number that one port of a container is announced at. */
export interface AnnouncedPort {
  /** Undefined if the container has no address. */
  readonly ip: string | undefined;
  /** The IPv6 address, if `ip` is IPv4. */
  readonly ipv6?: string;
  readonly port: number;
}

/**
 * The container with only the ports that it has services for. If services carry host ports, unpublished ports are
 * dropped. They do not count when names get a `-<port>` suffix either, as in registrator.
 */
export function withAnnouncedPorts(snapshot: Snapshot, choice: Choice): Snapshot {
  if (!announcesHostPorts(snapshot, choice)) return snapshot;
  return { ...snapshot, ports: snapshot.ports.filter(({ published }) => published.length > 0) };
}

/**
 * The addresses and numbers that one port is announced at, sorted by number. Usually its own number at the container's
 * address. If services carry host ports: each host port that is not bound to loopback, at the address of its binding. A
 * port that is bound to every address is announced at the host's.
 */
export function announcedPorts(
  port: ContainerPort | undefined,
  snapshot: Snapshot,
  choice: Choice,
): readonly AnnouncedPort[] {
  const own = chosenAddress(choice);
  if (port === undefined) return [{ ...own, port: 0 }];
  if (!announcesHostPorts(snapshot, choice)) return [{ ...own, port: port.port }];
  // Docker lists a port once for IPv4 and once for IPv6.
  const found = new Map<number, AnnouncedPort>();
  for (const binding of port.published.filter((candidate) => !isLoopback(candidate))) {
    const { hostIp, hostPort } = binding;
    if (isEveryAddress(binding)) found.set(hostPort, { ...own, port: hostPort });
    else if (!found.has(hostPort)) found.set(hostPort, { ip: hostIp, port: hostPort });
  }
  return [...found.values()].sort((one, other) => one.port - other.port);
}

/** The number of a container's TCP port at one of its announced addresses; undefined if it is not published there. */
export function portReachedAt(
  address: string,
  port: number,
  snapshot: Snapshot,
  choice: Choice,
): number | undefined {
  if (!announcesHostPorts(snapshot, choice)) return port;
  const published = snapshot.ports.find(
    (other) => other.port === port && other.protocol === 'tcp',
  )?.published;
  return published?.find((binding) => isEveryAddress(binding) || binding.hostIp === address)?.hostPort;
}

function chosenAddress(choice: Choice): Omit<AnnouncedPort, 'port'> {
  if (!choice.chosen) return { ip: undefined };
  const { ip, ipv6 } = choice;
  return ipv6 === undefined ? { ip } : { ip, ipv6 };
}

/** In the host's network every port already is a port of the host. */
function announcesHostPorts({ networkMode }: Snapshot, choice: Choice): boolean {
  return choice.chosen && choice.hostPorts && networkMode !== 'host';
}

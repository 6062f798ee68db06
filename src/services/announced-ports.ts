import { isEveryAddress, isLoopback } from '../addresses/binding.ts';
import type { Choice } from '../addresses/choose.ts';
import type { ContainerPort, Snapshot } from '../docker/snapshot.ts';

/** Where a port of a container is announced. */
export interface Place {
  /** Undefined where the container has no address. */
  readonly ip: string | undefined;
  /** Beside IPv4 in `ip`. */
  readonly ipv6?: string;
  readonly port: number;
}

/**
 * The container with those ports alone that it has services for. Where services carry host ports, the others are
 * nobody's business, and make it no container of several ports, either: as with registrator.
 */
export function withOfferedPorts(snapshot: Snapshot, choice: Choice): Snapshot {
  if (!carriesHostPorts(snapshot, choice)) return snapshot;
  return { ...snapshot, ports: snapshot.ports.filter(({ published }) => published.length > 0) };
}

/**
 * The places of one port: its own number at the container's address or, where services carry host ports, each host
 * port that others can reach, at the host's address or at the one that it is published at. Sorted by port.
 */
export function placesOf(
  port: ContainerPort | undefined,
  snapshot: Snapshot,
  choice: Choice,
): readonly Place[] {
  const own = chosenPlace(choice);
  if (port === undefined) return [{ ...own, port: 0 }];
  if (!carriesHostPorts(snapshot, choice)) return [{ ...own, port: port.port }];
  // Docker lists a port once for IPv4 and once for IPv6.
  const places = new Map<number, Place>();
  for (const binding of port.published.filter((candidate) => !isLoopback(candidate))) {
    const { hostIp, hostPort } = binding;
    if (isEveryAddress(binding)) places.set(hostPort, { ...own, port: hostPort });
    else if (!places.has(hostPort)) places.set(hostPort, { ip: hostIp, port: hostPort });
  }
  return [...places.values()].sort((one, other) => one.port - other.port);
}

/** The number of a container's tcp port at one of its addresses; undefined where it is not published there. */
export function reachedAt(
  address: string,
  port: number,
  snapshot: Snapshot,
  choice: Choice,
): number | undefined {
  if (!carriesHostPorts(snapshot, choice)) return port;
  const published = snapshot.ports.find(
    (other) => other.port === port && other.protocol === 'tcp',
  )?.published;
  return published?.find((binding) => isEveryAddress(binding) || binding.hostIp === address)?.hostPort;
}

function chosenPlace(choice: Choice): Omit<Place, 'port'> {
  if (!choice.chosen) return { ip: undefined };
  const { ip, ipv6 } = choice;
  return ipv6 === undefined ? { ip } : { ip, ipv6 };
}

/** In the host's network every port is the host's own already. */
function carriesHostPorts({ networkMode }: Snapshot, choice: Choice): boolean {
  return choice.chosen && choice.hostPorts && networkMode !== 'host';
}

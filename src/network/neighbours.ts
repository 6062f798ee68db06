import type { BridgeNeighbour } from './engine.ts';
import { namespaceOfEnd } from './host-end.ts';
import { dumpNeighbours, getPort, parseNeighbour, portOf } from './netlink/neighbour.ts';
import type { RouteSocket } from './netlink/route-socket.ts';
import { findLinkByIndex } from './netlink/tables.ts';

/** The kernel's default limit for all devices (gc_thresh3). */
const MAX_NEIGHBOURS = 1_024;

/**
 * For each neighbour on the bridge, the namespace that answers for its address. The bridge port of a MAC identifies the
 * namespace even if the MAC is forged: the name of a host end derives from the namespace's inode.
 */
export function readNeighbours(host: RouteSocket, bridge: number): readonly BridgeNeighbour[] {
  const names = new Map<number, number | undefined>();
  const neighbours = host.dump(dumpNeighbours(bridge)).flatMap((message) => parseNeighbour(message) ?? []);
  return neighbours
    .filter(({ device }) => device === bridge)
    .slice(0, MAX_NEIGHBOURS)
    .flatMap(({ ip, mac }) => {
      const found = host.ask(getPort(bridge, mac));
      if (!found) return [];
      const port = portOf(found);
      if (!names.has(port)) names.set(port, namespaceOfEnd(findLinkByIndex(host, port)?.name ?? ''));
      const namespace = names.get(port);
      return namespace === undefined ? [] : [{ ip, namespace }];
    });
}

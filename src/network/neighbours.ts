import type { BridgeNeighbour } from './engine.ts';
import { namespaceOfEnd } from './host-end.ts';
import { dumpNeighbours, getPort, parseNeighbour, portOf } from './netlink/neighbour.ts';
import type { RouteSocket } from './netlink/route-socket.ts';
import { findLinkByIndex } from './netlink/tables.ts';

/** The kernel keeps 1,024 of them by default, for all devices. */
const MAX_NEIGHBOURS = 1_024;

/**
 * Who answers this host for which address. The port that a MAC comes in by says who that is, whatever MAC it has: the
 * name of our end of a pair follows from the namespace.
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

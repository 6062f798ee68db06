import { type DeviceAddress, dumpAddresses, parseAddress } from './address.ts';
import { dumpLinks, getLink, getLinkByIndex, type Link, parseLink } from './link.ts';
import type { Request } from './message.ts';
import type { RouteSocket } from './route-socket.ts';

/** The device of this name, or undefined. */
export function findLink(socket: RouteSocket, name: string): Link | undefined {
  const answer = socket.ask(getLink(name));
  return answer && parseLink(answer);
}

/** The device of this index, or undefined. */
export function findLinkByIndex(socket: RouteSocket, index: number): Link | undefined {
  const answer = index > 0 ? socket.ask(getLinkByIndex(index)) : undefined;
  return answer && parseLink(answer);
}

/** Bound for interfaces and addresses: a container with NET_ADMIN can create any number. */
export const MAX_PER_CONTAINER = 4096;

export const allLinks = (socket: RouteSocket, most?: number): Link[] =>
  socket.dump(dumpLinks(), most).map(parseLink);

/** Usable addresses of all devices, without link-local ones, which need a zone. */
export const allAddresses = (socket: RouteSocket, most?: number): DeviceAddress[] =>
  usable(socket, dumpAddresses(), most);

/** IPv4 addresses of all devices, up or down. */
export const ipv4Addresses = (socket: RouteSocket): DeviceAddress[] =>
  socket.dump(dumpAddresses(0, 4)).map(parseAddress);

/** The kernel filters by device: on a host with hundreds of pairs, every device has a link-local address. */
export const addressesOn = (socket: RouteSocket, device: number): DeviceAddress[] =>
  usable(socket, dumpAddresses(device), MAX_PER_CONTAINER).filter((address) => address.device === device);

const usable = (socket: RouteSocket, request: Request, most?: number): DeviceAddress[] =>
  socket
    .dump(request, most)
    .map(parseAddress)
    .filter(({ linkLocal, unverified }) => !linkLocal && !unverified);

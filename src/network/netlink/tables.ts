import { type DeviceAddress, dumpAddresses, parseAddress } from './address.ts';
import { dumpLinks, getLink, type Link, parseLink } from './link.ts';
import type { RouteSocket } from './socket.ts';

/** The device of this name, or undefined. */
export function findLink(socket: RouteSocket, name: string): Link | undefined {
  const [answer] = socket.request(getLink(name));
  return answer && parseLink(answer);
}

export const allLinks = (socket: RouteSocket): Link[] => socket.dump(dumpLinks()).map(parseLink);

/** Usable addresses of all devices; link-local ones, which nobody can use without a zone, are left out. */
export const allAddresses = (socket: RouteSocket): DeviceAddress[] =>
  socket
    .dump(dumpAddresses())
    .map(parseAddress)
    .filter(({ linkLocal, unproven }) => !linkLocal && !unproven);

export const addressesOn = (socket: RouteSocket, device: number): DeviceAddress[] =>
  allAddresses(socket).filter((address) => address.device === device);

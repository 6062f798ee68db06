import { ipText } from '../cidr.ts';
import { attribute, attributes, type Message, type Request } from './message.ts';

/** An entry of the host's neighbour table: an address and the MAC that answers for it. */
export interface Neighbour {
  readonly ip: string;
  readonly mac: Buffer;
}

/** linux/rtnetlink.h, linux/neighbour.h, linux/socket.h */
const RTM_GETNEIGH = 30;
const NDA = { DST: 1, LLADDR: 2, IFINDEX: 8, MASTER: 9 } as const;
const AF_UNSPEC = 0;
const AF_BRIDGE = 7;

/** struct ndmsg */
function header(family: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes[0] = family;
  return bytes;
}

/** Lists the IPv4 and IPv6 neighbours of a device. */
export const dumpNeighbours = (device: number): Request => ({
  type: RTM_GETNEIGH,
  flags: 0,
  body: Buffer.concat([header(AF_UNSPEC), attribute(NDA.IFINDEX, device)]),
});

/** Undefined for an address that has not answered. */
export function parseNeighbour({ body }: Message): (Neighbour & { readonly device: number }) | undefined {
  const found = attributes(body, 12);
  const ip = found.get(NDA.DST);
  const mac = found.get(NDA.LLADDR);
  if (!ip || mac?.length !== 6 || (ip.length !== 4 && ip.length !== 16)) return undefined;
  return { ip: ipText(ip), mac, device: body.readInt32LE(4) };
}

/** Queries the bridge port on which a MAC was last seen; tolerates an unknown MAC. */
export const getPort = (bridge: number, mac: Uint8Array): Request => ({
  type: RTM_GETNEIGH,
  flags: 0,
  body: Buffer.concat([header(AF_BRIDGE), attribute(NDA.LLADDR, mac), attribute(NDA.MASTER, bridge)]),
  tolerated: ['ENOENT', 'ENOTSUP', 'EINVAL'],
});

export const portOf = ({ body }: Message): number => body.readInt32LE(4);

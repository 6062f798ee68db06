import { ipBytes, ipText } from '../cidr.ts';
import type { Cidr } from '../engine.ts';
import { attribute, attributes, type Message, NLM_F, type Request, textOf } from './message.ts';

/** An address on a device, as the kernel describes it. */
export interface DeviceAddress extends Cidr {
  /** Index of the device. */
  readonly device: number;
  /** Valid on its own link only, and usable only together with a zone. */
  readonly linkLocal: boolean;
  /** IPv6: duplicate address detection is pending or has failed. */
  readonly unverified: boolean;
  /** IPv4: the label set together with the address, by default the device's name (`eth0`, `eth0:1`). IPv6: empty. */
  readonly label: string;
}

/** linux/rtnetlink.h */
export const RTM_ADDRESS = { NEW: 20, DELETE: 21, GET: 22 } as const;
const RTM_ROUTE = { NEW: 24, DELETE: 25 } as const;

/** linux/if_addr.h */
const IFA = { ADDRESS: 1, LOCAL: 2, LABEL: 3, BROADCAST: 4, FLAGS: 8 } as const;
const IFA_F = { NODAD: 0x02, DADFAILED: 0x08, TENTATIVE: 0x40 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
const RT_SCOPE = { LINK: 253, NOWHERE: 255 } as const;
/** linux/rtnetlink.h, struct rtmsg and its attributes. */
const RTA = { DST: 1, OIF: 4 } as const;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RTN_UNICAST = 1;

/** struct ifaddrmsg */
function header(device: number, { prefixLength, family }: Cidr, flags = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = family === 4 ? AF_INET : AF_INET6;
  bytes[1] = prefixLength;
  bytes[2] = flags;
  bytes.writeUInt32LE(device, 4);
  return bytes;
}

/** Tolerates an address that exists already. */
export function addAddress(device: number, cidr: Cidr): Request {
  const ip = ipBytes(cidr.ip);
  const parts = [
    // Duplicate address detection would make an IPv6 address unusable for a second; the allocator ensures uniqueness.
    header(device, cidr, cidr.family === 6 ? IFA_F.NODAD : 0),
    attribute(IFA.LOCAL, ip),
    attribute(IFA.ADDRESS, ip),
  ];
  if (cidr.family === 4 && cidr.prefixLength < 31)
    parts.push(attribute(IFA.BROADCAST, broadcastOf(ip, cidr)));
  return {
    type: RTM_ADDRESS.NEW,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: Buffer.concat(parts),
    tolerated: ['EEXIST'],
  };
}

/** Tolerates an address that does not exist. */
export const deleteAddress = (device: number, cidr: Cidr): Request => ({
  type: RTM_ADDRESS.DELETE,
  flags: 0,
  body: Buffer.concat([
    header(device, cidr),
    attribute(IFA.LOCAL, ipBytes(cidr.ip)),
    attribute(IFA.ADDRESS, ipBytes(cidr.ip)),
  ]),
  tolerated: ['EADDRNOTAVAIL'],
});

/** Lists addresses of both families or only IPv4, of one device or (0) all. A missing device has no addresses. */
export function dumpAddresses(device = 0, family?: 4): Request {
  const body = Buffer.alloc(8);
  if (family === 4) body[0] = AF_INET;
  body.writeUInt32LE(device, 4);
  return { type: RTM_ADDRESS.GET, flags: 0, body, tolerated: ['ENODEV'] };
}

export function parseAddress({ body }: Message): DeviceAddress {
  const found = attributes(body, 8);
  const scope = body[3];
  const flags = found.get(IFA.FLAGS)?.readUInt32LE(0) ?? body[2] ?? 0;
  const family = body[0] === AF_INET ? 4 : 6;
  // On a point-to-point link ADDRESS is the peer's; for IPv6, LOCAL is usually absent.
  const ip = found.get(IFA.LOCAL) ?? found.get(IFA.ADDRESS) ?? Buffer.alloc(family === 4 ? 4 : 16);
  return {
    device: body.readUInt32LE(4),
    ip: ipText(ip),
    prefixLength: body[1] ?? 0,
    family,
    linkLocal: family === 6 && scope === RT_SCOPE.LINK,
    unverified: (flags & (IFA_F.TENTATIVE | IFA_F.DADFAILED)) !== 0,
    label: textOf(found.get(IFA.LABEL)),
  };
}

/** Routes multicast (224.0.0.0/4) over this device, as weave does. Another device's multicast route stays. */
export const addMulticastRoute = (device: number): Request => ({
  type: RTM_ROUTE.NEW,
  flags: NLM_F.CREATE | NLM_F.EXCL,
  body: multicastRoute(device, { protocol: RTPROT_BOOT, scope: RT_SCOPE.LINK, type: RTN_UNICAST }),
  tolerated: ['EEXIST'],
});

/** Deletes the multicast route, whichever program made it; tolerates its absence. */
export const deleteMulticastRoute = (device: number): Request => ({
  type: RTM_ROUTE.DELETE,
  flags: 0,
  body: multicastRoute(device, { protocol: 0, scope: RT_SCOPE.NOWHERE, type: 0 }), // of any kind
  tolerated: ['ESRCH'],
});

/** struct rtmsg and its attributes */
function multicastRoute(
  device: number,
  { protocol, scope, type }: { readonly protocol: number; readonly scope: number; readonly type: number },
): Buffer {
  const route = Buffer.alloc(12);
  route[0] = AF_INET;
  route[1] = 4; // prefix length
  route[4] = RT_TABLE_MAIN;
  route[5] = protocol;
  route[6] = scope;
  route[7] = type;
  return Buffer.concat([route, attribute(RTA.DST, Uint8Array.of(224, 0, 0, 0)), attribute(RTA.OIF, device)]);
}

function broadcastOf(ip: Uint8Array, { prefixLength }: Cidr): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((Buffer.from(ip).readUInt32BE(0) | (0xffff_ffff >>> prefixLength)) >>> 0);
  return bytes;
}

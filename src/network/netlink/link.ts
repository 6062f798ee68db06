import { attribute, attributes, type Message, NLM_F, type Request, textOf, u32 } from './message.ts';

/** A network device, as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth`, …; empty for hardware and loopback. */
  readonly kind: string;
  readonly up: boolean;
  readonly loopback: boolean;
  /** Has carrier and, as a port, forwards; becomes true asynchronously after `up`. */
  readonly operational: boolean;
  readonly mtu: number;
  /** Six bytes for Ethernet. */
  readonly mac: Buffer;
  /** Index of the bridge whose port it is; 0 if none. */
  readonly master: number;
  readonly alias: string;
  /** For a veth: index of the other end, in the namespace `peerNamespace`. */
  readonly peer: number;
  /** The id by which our namespace knows the peer's; undefined if that is our own. */
  readonly peerNamespace: number | undefined;
}

/** linux/rtnetlink.h */
export const RTM_LINK = { NEW: 16, DELETE: 17, GET: 18 } as const;

/** linux/if_link.h */
const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  OPERSTATE: 16,
  LINKINFO: 18,
  IFALIAS: 20,
  AF_SPEC: 26,
  NET_NS_FD: 28,
  LINK_NETNSID: 37,
  NUM_TX_QUEUES: 31,
  NUM_RX_QUEUES: 32,
} as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const IFLA_BR = { FORWARD_DELAY: 1, STP_STATE: 5 } as const;
const VETH_INFO_PEER = 1;
/** linux/if.h */
const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IF_OPER_UP = 6;
/** linux/inetdevice.h, as IFLA_INET_CONF in IFLA_AF_SPEC: settings of a device without a writable /proc/sys. */
const AF_INET = 2;
const IFLA_INET_CONF = 1;
/** linux/ip.h */
const IPV4_DEVCONF = {
  ACCEPT_REDIRECTS: 4,
  SEND_REDIRECTS: 6,
  PROMOTE_SECONDARIES: 20,
  ARP_NOTIFY: 22,
} as const;
const AF_INET6 = 10;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const ADDR_GEN_MODE_NONE = 1;

/** struct ifinfomsg */
function header(index = 0, up?: boolean): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  if (up !== undefined) {
    bytes.writeUInt32LE(up ? IFF_UP : 0, 8);
    bytes.writeUInt32LE(IFF_UP, 12);
  }
  return bytes;
}

const request = (
  type: number,
  flags: number,
  parts: readonly Buffer[],
  tolerated: readonly string[] = [],
): Request => ({
  type,
  flags,
  body: Buffer.concat(parts),
  tolerated,
});

export const getLink = (name: string): Request =>
  request(RTM_LINK.GET, 0, [header(), attribute(IFLA.IFNAME, name)], ['ENODEV']);

export const getLinkByIndex = (index: number): Request =>
  request(RTM_LINK.GET, 0, [header(index)], ['ENODEV']);

export const dumpLinks = (): Request => request(RTM_LINK.GET, 0, [header()]);

/** Creates a bridge that is down, forwards at once (no spanning tree), and keeps its MAC when ports join. */
export const newBridge = (name: string, mac: Uint8Array): Request =>
  request(RTM_LINK.NEW, NLM_F.CREATE | NLM_F.EXCL, [
    header(),
    attribute(IFLA.IFNAME, name),
    attribute(IFLA.ADDRESS, mac),
    attribute(
      IFLA.LINKINFO,
      attribute(IFLA_INFO.KIND, 'bridge'),
      attribute(
        IFLA_INFO.DATA,
        attribute(IFLA_BR.STP_STATE, 0),
        attribute(IFLA_BR.FORWARD_DELAY, 0), // less than 2 s is valid only without spanning tree
      ),
    ),
  ]);

export interface VethPair {
  readonly hostName: string;
  readonly bridge: number;
  readonly mtu: number;
  readonly peerName: string;
  readonly peerMac: Uint8Array;
  /** Descriptor of the namespace in which the peer is created. */
  readonly namespace: number;
}

/**
 * By default the kernel creates one queue per processor, then removes all but one while it holds its global lock. With
 * two processors, that takes a third of the time for a pair.
 */
const ONE_QUEUE = [attribute(IFLA.NUM_TX_QUEUES, 1), attribute(IFLA.NUM_RX_QUEUES, 1)];

/**
 * Creates both ends in one request, under the kernel's lock. Both are down; the host end is in the bridge, and the peer
 * has its final name.
 */
export const newVethPair = (pair: VethPair): Request =>
  request(RTM_LINK.NEW, NLM_F.CREATE | NLM_F.EXCL, [
    header(),
    attribute(IFLA.IFNAME, pair.hostName),
    attribute(IFLA.MTU, pair.mtu),
    attribute(IFLA.MASTER, pair.bridge),
    ...ONE_QUEUE,
    attribute(
      IFLA.LINKINFO,
      attribute(IFLA_INFO.KIND, 'veth'),
      attribute(
        IFLA_INFO.DATA,
        attribute(
          VETH_INFO_PEER,
          header(),
          attribute(IFLA.IFNAME, pair.peerName),
          attribute(IFLA.MTU, pair.mtu),
          attribute(IFLA.ADDRESS, pair.peerMac),
          ...ONE_QUEUE,
          attribute(IFLA.NET_NS_FD, pair.namespace),
        ),
      ),
    ),
  ]);

export interface LinkSettings {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: Uint8Array;
  readonly master?: number;
  readonly alias?: string;
}

export const setLink = (index: number, settings: LinkSettings): Request =>
  request(RTM_LINK.NEW, 0, [
    header(index, settings.up),
    ...(settings.mtu === undefined ? [] : [attribute(IFLA.MTU, settings.mtu)]),
    ...(settings.mac === undefined ? [] : [attribute(IFLA.ADDRESS, settings.mac)]),
    ...(settings.master === undefined ? [] : [attribute(IFLA.MASTER, settings.master)]),
    ...(settings.alias === undefined ? [] : [attribute(IFLA.IFALIAS, Buffer.from(settings.alias))]),
  ]);

const NO_LINK_LOCAL = attribute(
  AF_INET6,
  attribute(IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(ADDR_GEN_MODE_NONE)),
);

/**
 * The kernel assigns no IPv6 link-local address when the device comes up. Tolerates a device without IPv6: its MTU is
 * below 1280, or the host has none (`ipv6.disable=1`).
 */
export const refuseLinkLocal = (index: number): Request =>
  request(RTM_LINK.NEW, 0, [header(index), attribute(IFLA.AF_SPEC, NO_LINK_LOCAL)], ['EAFNOSUPPORT']);

/**
 * Removing the first address of a subnet keeps the others (promote_secondaries). The kernel announces addresses at `up`
 * and whenever the MAC is set (arp_notify).
 */
export const keepAndAnnounceAddresses = (index: number): Request =>
  setDeviceConfig(index, { [IPV4_DEVCONF.PROMOTE_SECONDARIES]: 1, [IPV4_DEVCONF.ARP_NOTIFY]: 1 });

/**
 * The host ignores ICMP redirects (IPv4) that arrive on the device, and sends none there. Tolerates a missing device,
 * and a process without permission, which cannot attach containers either.
 */
export const refuseRedirects = (index: number): Request =>
  setDeviceConfig(index, { [IPV4_DEVCONF.ACCEPT_REDIRECTS]: 0, [IPV4_DEVCONF.SEND_REDIRECTS]: 0 }, [
    'ENODEV',
    'EPERM',
  ]);

const setDeviceConfig = (
  index: number,
  settings: Readonly<Record<number, number>>,
  tolerated?: readonly string[],
): Request =>
  request(
    RTM_LINK.NEW,
    0,
    [
      header(index),
      attribute(
        IFLA.AF_SPEC,
        attribute(
          AF_INET,
          attribute(
            IFLA_INET_CONF,
            ...Object.entries(settings).map(([number, value]) => attribute(Number(number), value)),
          ),
        ),
      ),
    ],
    tolerated,
  );

/** Tolerates a device that no longer exists. */
export const deleteLink = (index: number): Request =>
  request(RTM_LINK.DELETE, 0, [header(index)], ['ENODEV']);

export function parseLink({ body }: Message): Link {
  const flags = body.readUInt32LE(8);
  const found = attributes(body, 16);
  const info = found.get(IFLA.LINKINFO);
  return {
    index: body.readInt32LE(4),
    name: textOf(found.get(IFLA.IFNAME)),
    kind: info ? textOf(attributes(info).get(IFLA_INFO.KIND)) : '',
    up: (flags & IFF_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    operational: found.get(IFLA.OPERSTATE)?.[0] === IF_OPER_UP,
    mtu: found.get(IFLA.MTU)?.readUInt32LE(0) ?? 0,
    mac: found.get(IFLA.ADDRESS) ?? Buffer.alloc(0),
    master: (found.get(IFLA.MASTER) ?? u32(0)).readUInt32LE(0),
    alias: textOf(found.get(IFLA.IFALIAS)),
    peer: (found.get(IFLA.LINK) ?? u32(0)).readUInt32LE(0),
    peerNamespace: found.get(IFLA.LINK_NETNSID)?.readInt32LE(0),
  };
}

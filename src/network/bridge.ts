import { HeddleError, systemCode } from '../errors.ts';
import { hardenDevice } from './device-hardening.ts';
import type { Cidr } from './engine.ts';
import { isHostEnd } from './host-end.ts';
import { randomMac } from './mac.ts';
import { addAddress, deleteAddress } from './netlink/address.ts';
import { deleteLink, keepAndAnnounceAddresses, type Link, newBridge, setLink } from './netlink/link.ts';
import type { RouteSocket } from './netlink/route-socket.ts';
import { addressesOn, allLinks, findLink } from './netlink/tables.ts';

export interface BridgeOptions {
  readonly bridge: string;
  /** Set explicitly, so that the kernel keeps it when ports join or leave. */
  readonly mtu: number;
}

/**
 * Makes sure that the bridge exists, is up, and has the disconnected pairs as ports. `up` is the commit point: a bridge
 * that is down is incomplete and gets completed. A bridge that is up keeps its settings, whichever program made it.
 * @throws HeddleError `taken`; KernelError
 */
export async function ensureBridge(host: RouteSocket, options: BridgeOptions): Promise<void> {
  const existing = findLink(host, options.bridge);
  const bridge = existing ? requireBridge(existing) : createBridge(host, options.bridge);
  host.request(hardenDevice(bridge));
  if (!bridge.up) await bringUp(host, bridge, options.mtu, { isOurs: !existing });
  reconnectPairs(host, bridge);
}

/** Whether the bridge exists, or pairs that lost it: those are up but disconnected. */
export const hasBridgeOrPairs = (host: RouteSocket, name: string): boolean =>
  findLink(host, name)?.kind === 'bridge' || disconnectedHostEnds(host).length > 0;

/** Removes the bridge and the pairs that heddle or weave attached to it. A device of another kind stays. */
export async function removeBridge(host: RouteSocket, name: string): Promise<void> {
  const found = findLink(host, name);
  const bridge = found?.kind === 'bridge' ? [found] : [];
  const pairs = bridge.flatMap(({ index }) =>
    allLinks(host).filter((link) => link.master === index && isHostEnd(link)),
  );
  await host.requestOnPool(
    ...[...pairs, ...disconnectedHostEnds(host), ...bridge].map(({ index }) => deleteLink(index)),
  );
}

/** Host ends without a bridge. heddle creates each pair inside its bridge, so another program has removed it since. */
const disconnectedHostEnds = (host: RouteSocket): Link[] =>
  allLinks(host).filter((link) => link.master === 0 && isHostEnd(link));

function reconnectPairs(host: RouteSocket, bridge: Link): void {
  for (const { index, name } of disconnectedHostEnds(host)) {
    try {
      // Outside a bridge the host end is an ordinary device that could configure the host.
      host.request(hardenDevice({ index, name }), setLink(index, { up: true, master: bridge.index }));
    } catch (error) {
      if (systemCode(error) !== 'ENODEV') throw error; // its container has stopped meanwhile
    }
  }
}

async function bringUp(
  host: RouteSocket,
  bridge: Link,
  mtu: number,
  { isOurs }: { readonly isOurs: boolean },
): Promise<void> {
  try {
    // Not at creation: the kernel keeps an MTU as the user's setting only if a later request sets it.
    host.request(setLink(bridge.index, { mtu, up: true }));
  } catch (error) {
    if (isOurs) await host.requestOnPool(deleteLink(bridge.index));
    throw error;
  }
}

/** Assigns addresses to the bridge and announces them to the containers. @returns all addresses of the bridge */
export function addBridgeAddresses(host: RouteSocket, name: string, cidrs: readonly Cidr[]): readonly Cidr[] {
  const bridge = findLink(host, name);
  if (!bridge) throw new HeddleError('not-found', `bridge ${name} was removed meanwhile; try again`);
  host.request(
    keepAndAnnounceAddresses(bridge.index),
    ...cidrs.map((cidr) => addAddress(bridge.index, cidr)),
    // Setting the MAC, even to the same value, makes the kernel announce every address.
    setLink(bridge.index, { mac: bridge.mac }),
  );
  return addressesOn(host, bridge.index);
}

/** @returns the remaining addresses of the bridge */
export function removeBridgeAddresses(
  host: RouteSocket,
  name: string,
  cidrs: readonly Cidr[],
): readonly Cidr[] {
  const bridge = findLink(host, name);
  if (bridge?.kind !== 'bridge') return [];
  host.request(
    keepAndAnnounceAddresses(bridge.index),
    ...cidrs.map((cidr) => deleteAddress(bridge.index, cidr)),
  );
  return addressesOn(host, bridge.index);
}

/** @throws HeddleError `taken` for a device of another kind */
export function requireBridge(link: Link): Link {
  if (link.kind === 'bridge') return link;
  throw new HeddleError(
    'taken',
    `${link.name} is not a bridge but ${link.kind ? `a ${link.kind} device` : 'a network card or loopback'}: ` +
      'remove or rename it, or choose another name for the bridge',
  );
}

function createBridge(host: RouteSocket, name: string): Link {
  try {
    host.request(newBridge(name, randomMac()));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error; // another process was faster: use its bridge
  }
  const made = findLink(host, name);
  if (!made) throw new HeddleError('failed', `bridge ${name} was removed while it was being made; try again`);
  return requireBridge(made);
}

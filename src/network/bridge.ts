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
  /** Given explicitly, it stays, whatever joins or leaves. */
  readonly mtu: number;
}

/**
 * Makes sure that the bridge exists and is up, and that pairs which lost theirs are in it. `up` is the commit point: a
 * bridge that is down was left half made and is completed; one that is up is left as it is, whoever made it.
 * @throws HeddleError `taken`; KernelError
 */
export async function ensureBridge(host: RouteSocket, options: BridgeOptions): Promise<void> {
  const existing = findLink(host, options.bridge);
  const bridge = existing ? requireBridge(existing) : create(host, options.bridge);
  host.request(hardenDevice(bridge));
  if (!bridge.up) await bringUp(host, bridge, options.mtu, { isOurs: !existing });
  reconnectPairs(host, bridge);
}

/** Whether there is a bridge, or pairs from under which somebody removed it: they are up, and reach nobody. */
export const hasBridgeOrPairs = (host: RouteSocket, name: string): boolean =>
  findLink(host, name)?.kind === 'bridge' || disconnectedHostEnds(host).length > 0;

/** Removes the bridge and the pairs that heddle or weave hung into it; a device of another kind is left alone. */
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

/** Host ends in no bridge. A pair is made in its bridge, by heddle: somebody has removed that since. */
const disconnectedHostEnds = (host: RouteSocket): Link[] =>
  allLinks(host).filter((link) => link.master === 0 && isHostEnd(link));

function reconnectPairs(host: RouteSocket, bridge: Link): void {
  for (const { index, name } of disconnectedHostEnds(host)) {
    try {
      // Outside a bridge it is a device of the host like any other.
      host.request(hardenDevice({ index, name }), setLink(index, { up: true, master: bridge.index }));
    } catch (error) {
      if (systemCode(error) !== 'ENODEV') throw error; // its container has ended meanwhile
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
    // The MTU is set here and not at creation, because only so does the kernel take it for the user's wish.
    host.request(setLink(bridge.index, { mtu, up: true }));
  } catch (error) {
    if (isOurs) await host.requestOnPool(deleteLink(bridge.index));
    throw error;
  }
}

/** Gives the bridge addresses of its own, and tells the containers of them. @returns all that it has then */
export function addBridgeAddresses(host: RouteSocket, name: string, cidrs: readonly Cidr[]): readonly Cidr[] {
  const bridge = findLink(host, name);
  if (!bridge) throw new HeddleError('not-found', `bridge ${name} was removed meanwhile; try again`);
  host.request(
    keepAndAnnounceAddresses(bridge.index),
    ...cidrs.map((cidr) => addAddress(bridge.index, cidr)),
    // Setting the MAC, be it the same one, has the kernel announce every address.
    setLink(bridge.index, { mac: bridge.mac }),
  );
  return addressesOn(host, bridge.index);
}

/** @returns the addresses that it has left */
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

function create(host: RouteSocket, name: string): Link {
  try {
    host.request(newBridge(name, randomMac()));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error; // another process was faster: what it made is as good
  }
  const made = findLink(host, name);
  if (!made) throw new HeddleError('failed', `bridge ${name} was removed while it was being made; try again`);
  return requireBridge(made);
}

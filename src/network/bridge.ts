import { HeddleError, systemCode } from '../errors.ts';
import type { Cidr } from './engine.ts';
import { isHostEnd } from './host-end.ts';
import { randomMac } from './mac.ts';
import { addAddress, deleteAddress } from './netlink/address.ts';
import { deleteLink, keepAndAnnounceAddresses, type Link, newBridge, setLink } from './netlink/link.ts';
import type { RouteSocket } from './netlink/socket.ts';
import { addressesOn, allLinks, findLink } from './netlink/tables.ts';

export interface BridgeOptions {
  readonly bridge: string;
  /** Given explicitly, it stays, whatever joins or leaves. */
  readonly mtu: number;
}

/**
 * Makes sure that the bridge exists and is up. `up` is the commit point: a bridge that is down was left half made and
 * is completed; one that is up is left as it is, whoever made it.
 * @throws HeddleError `taken`; KernelError
 */
export async function ensureBridge(host: RouteSocket, { bridge: name, mtu }: BridgeOptions): Promise<void> {
  const existing = findLink(host, name);
  const bridge = existing ? requireBridge(existing) : create(host, name);
  if (bridge.up) return;
  try {
    // The MTU is set here and not at creation, because only so does the kernel take it for the user's wish.
    host.request(setLink(bridge.index, { mtu, up: true }));
  } catch (error) {
    if (!existing) await host.requestOnPool(deleteLink(bridge.index));
    throw error;
  }
}

/** Removes the bridge and the pairs that heddle or weave hung into it; a device of another kind is left alone. */
export async function removeBridge(host: RouteSocket, name: string): Promise<void> {
  const bridge = findLink(host, name);
  if (bridge?.kind !== 'bridge') return;
  const pairs = allLinks(host).filter((link) => link.master === bridge.index && isHostEnd(link));
  await host.requestOnPool(...[...pairs, bridge].map(({ index }) => deleteLink(index)));
}

/** Gives the bridge addresses of its own, and tells the containers of them. */
export function giveBridge(host: RouteSocket, name: string, cidrs: readonly Cidr[]): void {
  const bridge = findLink(host, name);
  if (!bridge) throw new HeddleError('not-found', `bridge ${name} was removed meanwhile; try again`);
  host.request(
    keepAndAnnounceAddresses(bridge.index),
    ...cidrs.map((cidr) => addAddress(bridge.index, cidr)),
    // Setting the MAC, be it the same one, has the kernel announce every address.
    setLink(bridge.index, { mac: bridge.mac }),
  );
}

/** @returns the addresses that it has left */
export function takeFromBridge(host: RouteSocket, name: string, cidrs: readonly Cidr[]): readonly Cidr[] {
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

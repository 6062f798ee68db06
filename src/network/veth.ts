import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { HeddleError, systemCode } from '../errors.ts';
import { requireBridge } from './bridge.ts';
import { distinct, toCidr, without } from './cidr.ts';
import { hardenDevice } from './device-hardening.ts';
import type { AttachResult, Cidr, LinkOptions } from './engine.ts';
import { hostEndName } from './host-end.ts';
import { macFor } from './mac.ts';
import { addAddress, addMulticastRoute, deleteAddress, deleteMulticastRoute } from './netlink/address.ts';
import {
  deleteLink,
  keepAndAnnounceAddresses,
  type Link,
  newVethPair,
  refuseLinkLocal,
  setLink,
} from './netlink/link.ts';
import type { Request } from './netlink/message.ts';
import type { Namespace } from './netlink/namespace.ts';
import type { RouteSocket } from './netlink/route-socket.ts';
import { addressesOn, findLink } from './netlink/tables.ts';

export interface PairOptions {
  readonly bridge: string;
  /** Name of the container's end: `ethwe`. */
  readonly interface: string;
  /** MTU of both ends. */
  readonly mtu: number;
}

/** The two sides of a pair: the host, and the container's namespace. Changes require the lock on the namespace. */
export interface Sides {
  readonly host: RouteSocket;
  readonly inside: RouteSocket;
  readonly namespace: Namespace;
}

/** How long an announcement waits until the bridge port forwards; typically a fraction of a millisecond. */
const TYPICAL_FORWARDING_MS = 1;
const FORWARDING_TIMEOUT_MS = 1000;

/**
 * Creates the pair if there is none, adds the missing addresses, and commits with `up`. A device that is down is what a
 * killed process left uncommitted: it is completed, and loses the addresses that this call does not request.
 * @throws HeddleError `not-found` (bridge), `taken`; KernelError; in each case this call's own changes are undone
 */
export async function attachPair(
  sides: Sides,
  container: string,
  cidrs: readonly Cidr[],
  options: PairOptions & LinkOptions,
): Promise<AttachResult> {
  const { host, inside } = sides;
  const bridge = bridgeFor(host, options.bridge);
  const existing = findContainerEnd(inside, options.interface);
  const link = existing ?? createPair(sides, bridge, macFor(cidrs), options);
  const present = existing ? addressesOn(inside, existing.index) : [];
  const kept = existing?.up ? present : [];
  const mac = existing?.up ? existing.mac : macFor(cidrs);
  const stale = without(present, [...kept, ...cidrs]);
  const added = without(distinct(cidrs), kept);
  // The kernel reports even a setting that changes nothing. Without this check, every scan would trigger another one.
  const needsCommit = !existing?.up || added.length > 0;
  const addressing = [
    keepAndAnnounceAddresses(link.index),
    ...stale.map((cidr) => deleteAddress(link.index, cidr)),
    ...added.map((cidr) => addAddress(link.index, cidr)),
  ];
  const commit = setLink(link.index, { mac, up: true });
  try {
    inside.request(...(needsCommit ? addressing : []));
    joinBridge(sides, bridge, container);
    inside.request(...(needsCommit ? [commit] : []), ...routeFor(link, !existing?.up, options));
  } catch (error) {
    const undo = existing ? added.map((cidr) => deleteAddress(link.index, cidr)) : [deleteLink(link.index)];
    // If even that fails, report the first error; the next attach completes the device.
    await inside.requestOnPool(...undo).catch(() => undefined);
    throw error;
  }
  if (added.length > 0) await announce(sides, link, mac);
  return { created: !existing, added };
}

/** Removes addresses, and the pair together with its last address. @returns the removed addresses */
export async function detachPair(
  { inside }: Sides,
  cidrs: readonly Cidr[],
  options: PairOptions,
): Promise<readonly Cidr[]> {
  const link = findContainerEnd(inside, options.interface);
  if (!link) return [];
  const present = addressesOn(inside, link.index);
  const kept = without(present, cidrs);
  const removed = without(present, kept).map(toCidr);
  if (kept.length === 0) {
    await inside.requestOnPool(deleteLink(link.index));
    return removed;
  }
  // A MAC derived from a removed address would collide with that of the next container that gets this address.
  const needsNewMac = removed.some((cidr) => macFor([cidr]).equals(link.mac));
  inside.request(
    keepAndAnnounceAddresses(link.index), // on a pair made by another program, removing the first removes all
    // Before the address is removed: if the process is killed in between, no later call would detect the wrong MAC.
    ...(needsNewMac ? [setLink(link.index, { mac: macFor(kept) })] : []),
    ...removed.map((cidr) => deleteAddress(link.index, cidr)),
  );
  return removed;
}

function bridgeFor(host: RouteSocket, name: string): Link {
  const link = findLink(host, name);
  if (link) return requireBridge(link);
  throw new HeddleError('not-found', `there is no bridge ${name}: create it with "heddle create-bridge"`);
}

function findContainerEnd(inside: RouteSocket, name: string): Link | undefined {
  const link = findLink(inside, name);
  if (!link || link.kind === 'veth') return link;
  const kind = link.kind || 'hardware';
  throw new HeddleError('taken', `the container has an interface ${name} of its own, of kind ${kind}`);
}

function createPair(
  { host, inside, namespace }: Sides,
  bridge: Link,
  mac: Buffer,
  options: PairOptions,
): Link {
  const hostName = hostEndName(namespace.inode);
  try {
    host.request(
      newVethPair({
        hostName,
        bridge: bridge.index,
        mtu: options.mtu,
        peerName: options.interface,
        peerMac: mac,
        namespace: namespace.fd,
      }),
    );
  } catch (error) {
    // The original weave does not take our lock: use what it has created in the meantime.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  const link = findContainerEnd(inside, options.interface);
  if (link) return link;
  throw new HeddleError(
    'taken',
    `${hostName} on the host does not belong to the container's interface ${options.interface}: remove it`,
  );
}

/** Leaves the route of an interface that was up unchanged: another container that shares it may have requested none. */
function routeFor(link: Link, isNew: boolean, { multicastRoute }: LinkOptions): readonly Request[] {
  if (multicastRoute === false) return [deleteMulticastRoute(link.index)];
  return isNew ? [addMulticastRoute(link.index)] : [];
}

/** Puts the host end into the bridge, which may be a new one, and marks it with the first container that attached. */
function joinBridge({ host, namespace }: Sides, bridge: Link, container: string): void {
  const end = findLink(host, hostEndName(namespace.inode));
  if (!end || (end.up && end.master === bridge.index && end.alias)) return;
  host.request(
    hardenDevice(end),
    refuseLinkLocal(end.index), // before `up`, when the kernel would assign the address
    setLink(end.index, { up: true, master: bridge.index, ...(end.alias ? {} : { alias: container }) }),
  );
}

/**
 * Announces the addresses to the neighbours. The kernel does this whenever the MAC is set, even to the same value. The
 * bridge port starts to forward some time after `up`; an earlier announcement is lost.
 */
async function announce({ host, inside, namespace }: Sides, link: Link, mac: Buffer): Promise<void> {
  const forwards = (): boolean => {
    const end = findLink(host, hostEndName(namespace.inode)) ?? findLink(inside, link.name);
    return end === undefined || end.operational;
  };
  const began = performance.now();
  for (let waited = 0; !forwards() && waited < FORWARDING_TIMEOUT_MS; waited = performance.now() - began) {
    await (waited < TYPICAL_FORWARDING_MS ? turn() : delay(1));
  }
  // Not on the pool, although the kernel returns only after every port has the packet, 1–2 ms with 500 ports. The next
  // attachment would wait for the same kernel lock anyway, and longer.
  inside.request(setLink(link.index, { mac }));
}

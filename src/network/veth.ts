import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { HeddleError, systemCode } from '../errors.ts';
import { requireBridge } from './bridge.ts';
import { distinct, toCidr, without } from './cidr.ts';
import { hardenDevice } from './device-hardening.ts';
import type { AttachResult, Cidr, LinkOptions } from './engine.ts';
import { hostEndName } from './host-end.ts';
import { macFor } from './mac.ts';
import { addAddress, addMulticastRoute, deleteAddress, deleteMulticastRoute } from './netlink/address.ts';
import { deleteLink, keepAndAnnounceAddresses, type Link, newVethPair, setLink } from './netlink/link.ts';
import type { Request } from './netlink/message.ts';
import type { Namespace } from './netlink/namespace.ts';
import type { RouteSocket } from './netlink/route-socket.ts';
import { addressesOn, findLink } from './netlink/tables.ts';

export interface PairOptions {
  readonly bridge: string;
  /** Name of the container's end: `ethwe`. */
  readonly interface: string;
  /** Of both ends. */
  readonly mtu: number;
}

/** The two sides of a pair: where the bridge is, and the container's namespace, locked. */
export interface Sides {
  readonly host: RouteSocket;
  readonly inside: RouteSocket;
  readonly namespace: Namespace;
}

/** How long an announcement waits for the bridge port to forward: mostly a fraction of a millisecond. */
const TYPICAL_FORWARDING_MS = 1;
const FORWARDING_TIMEOUT_MS = 1000;

/**
 * Makes the pair if there is none, adds the addresses that are missing, and commits with `up`. What a killed process
 * left, a device that is down, was never committed: it is completed, without the addresses that nobody asks for now.
 * @throws HeddleError `not-found` (bridge), `taken`; KernelError; either way this call's own changes are taken back
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
  // Whoever watches hears of what is set to what it was, too: each look would be followed by another one for ever.
  const isDue = !existing?.up || added.length > 0;
  const addressed = [
    keepAndAnnounceAddresses(link.index),
    ...stale.map((cidr) => deleteAddress(link.index, cidr)),
    ...added.map((cidr) => addAddress(link.index, cidr)),
  ];
  const committed = setLink(link.index, { mac, up: true });
  try {
    inside.request(...(isDue ? addressed : []));
    joinBridge(sides, bridge, container);
    inside.request(...(isDue ? [committed] : []), ...routeFor(link, !existing?.up, options));
  } catch (error) {
    const undo = existing ? added.map((cidr) => deleteAddress(link.index, cidr)) : [deleteLink(link.index)];
    // Where even that fails, the first failure is the one to tell, and the next attach completes what is left.
    await inside.requestOnPool(...undo).catch(() => undefined);
    throw error;
  }
  if (added.length > 0) await announce(sides, link, mac);
  return { created: !existing, added };
}

/** Removes addresses, and the pair with the last of them; says which were there. */
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
  // A MAC that came from a removed address would meet itself when that address is given to another container.
  const orphaned = removed.some((cidr) => macFor([cidr]).equals(link.mac));
  inside.request(
    keepAndAnnounceAddresses(link.index), // a pair that someone else made would lose all addresses with the first
    // Before the address goes: a process killed in between would leave the MAC, and nobody would find it wrong.
    ...(orphaned ? [setLink(link.index, { mac: macFor(kept) })] : []),
    ...removed.map((cidr) => deleteAddress(link.index, cidr)),
  );
  return removed;
}

function bridgeFor(host: RouteSocket, name: string): Link {
  const link = findLink(host, name);
  if (link) return requireBridge(link);
  throw new HeddleError('not-found', `there is no bridge ${name}: make it with "heddle create-bridge"`);
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
    // The original weave takes no lock of ours: whatever it made meanwhile is used below.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  const link = findContainerEnd(inside, options.interface);
  if (link) return link;
  throw new HeddleError(
    'taken',
    `${hostName} on the host belongs to another interface than the container's ${options.interface}: remove it`,
  );
}

/** An interface that was up keeps the route that it has or has not: of those who share it, one may have asked for none. */
function routeFor(link: Link, isNew: boolean, { multicastRoute }: LinkOptions): readonly Request[] {
  if (multicastRoute === false) return [deleteMulticastRoute(link.index)];
  return isNew ? [addMulticastRoute(link.index)] : [];
}

/** The host end in the bridge, up, and marked with the first container that asked; the bridge may be a new one. */
function joinBridge({ host, namespace }: Sides, bridge: Link, container: string): void {
  const end = findLink(host, hostEndName(namespace.inode));
  if (!end || (end.up && end.master === bridge.index && end.alias)) return;
  host.request(
    hardenDevice(end),
    setLink(end.index, { noLinkLocal: true }), // before `up`, when it would give itself an address
    setLink(end.index, { up: true, master: bridge.index, ...(end.alias ? {} : { alias: container }) }),
  );
}

/**
 * Tells the neighbours. The kernel announces every address when the MAC is set, be it the same one; before the bridge
 * port forwards, which is some time after `up`, an announcement is lost.
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
  // Not on the pool, though the kernel returns when each port of the bridge has it, a millisecond or two with five
  // hundred: the next attachment would only wait for the same lock, and longer.
  inside.request(setLink(link.index, { mac }));
}

import type { Parts } from '../containers/parts.ts';
import { formatListen } from '../dns/listen.ts';
import type { ListenerStatus } from '../dns/server/listener.ts';
import { isHeddleItself } from '../docker/heddle-container.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { messageOf } from '../errors.ts';
import type { Addressing } from '../ipam/addressing.ts';
import { EXPOSED } from '../ipam/claims.ts';
import { formatCidr } from '../network/cidr.ts';
import type { NetworkEngine } from '../network/engine.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { AttachmentReport, StatusReport } from './host-operations.ts';

/** How many containers run, are announced, and wait for an address that they requested. */
export function containerCounts(entries: Iterable<RosterEntry>): StatusReport['containers'] {
  const running = [...entries].filter(({ snapshot }) => snapshot.running);
  const awaiting = running.filter((entry) => entry.awaitingAddress);
  const announced = running.filter(
    (entry) => entry.choice.chosen && !entry.awaitingAddress && !isHeddleItself(entry.snapshot),
  );
  return { running: running.length, announced: announced.length, awaiting: awaiting.length };
}

/** The bridge as the kernel reports it now. */
export async function networkReport(
  network: Pick<NetworkEngine, 'hostAddresses'>,
  bridge: string,
): Promise<StatusReport['network']> {
  try {
    const addresses = (await network.hostAddresses(bridge)).map(formatCidr);
    return { bridge, addresses, detail: addresses.length === 0 ? 'no address of its own' : '' };
  } catch (error) {
    return { bridge, addresses: [], detail: messageOf(error) };
  }
}

/** The ranges for addresses, and the owner of each assigned one. */
export const ipamReport = (addressing: Addressing): StatusReport['ipam'] => ({
  range: formatCidr(addressing.pool.range),
  defaultSubnet: formatCidr(addressing.pool.defaultSubnet),
  owners: addressing.owners(),
});

type AttachmentSource = Pick<Parts, 'network' | 'namespaceOf' | 'bridge' | 'interface'>;

/** The bridge, if it has addresses, and every container with heddle's interface. */
export async function attachmentReports(
  { network, namespaceOf, bridge, interface: device }: AttachmentSource,
  entries: Iterable<RosterEntry>,
): Promise<readonly AttachmentReport[]> {
  const reports: AttachmentReport[] = [];
  const exposed = await network.hostAddresses(bridge);
  const bridgeMac = await network.hostMac(bridge);
  if (exposed.length > 0 && bridgeMac !== undefined) {
    reports.push({ owner: EXPOSED, mac: bridgeMac, addresses: exposed.map(formatCidr) });
  }
  for (const { snapshot, addresses } of entries) {
    const ours = addresses.filter((address) => address.interface === device);
    if (ours.length === 0) continue;
    const mac = await macOf(snapshot).catch(() => undefined); // the container may have ended
    if (mac !== undefined) reports.push({ owner: snapshot.id, mac, addresses: ours.map(formatCidr) });
  }
  return reports;

  async function macOf(snapshot: Snapshot): Promise<string | undefined> {
    const { path } = await namespaceOf(snapshot);
    return path === undefined ? undefined : network.mac(path);
  }
}

/** The state of one address that DNS listens on, or should listen on. */
export function dnsReport({ address, state, isBatched, why = '' }: ListenerStatus) {
  const udp = isBatched ? 'in batches' : 'one by one';
  return { address: formatListen(address), state, udp: state === 'listening' ? udp : null, detail: why };
}

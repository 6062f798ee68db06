import type { RosterEntry } from '../containers/entry.ts';
import { messageOf } from '../errors.ts';
import { formatCidr } from '../network/cidr.ts';
import type { NetworkEngine } from '../network/engine.ts';
import type { StatusReport } from './host.ts';

/** How many containers run, are announced, and wait for an address they are due. */
export function containerCounts(entries: Iterable<RosterEntry>): StatusReport['containers'] {
  const running = [...entries].filter(({ snapshot }) => snapshot.running);
  const awaiting = running.filter((entry) => entry.awaitingAddress);
  const announced = running.filter((entry) => entry.choice.chosen && !entry.awaitingAddress);
  return { running: running.length, announced: announced.length, awaiting: awaiting.length };
}

/** The bridge as the kernel has it now. */
export async function networkReport(
  network: Pick<NetworkEngine, 'hostAddresses'>,
  bridge: string,
): Promise<StatusReport['network']> {
  try {
    const addresses = (await network.hostAddresses(bridge)).map(formatCidr);
    return { bridge, addresses, detail: addresses.length === 0 ? 'without an address of its own' : '' };
  } catch (error) {
    return { bridge, addresses: [], detail: messageOf(error) };
  }
}

import { isHeddleItself, roleText } from '../docker/heddle-container.ts';
import type { ContainerReport } from './host-operations.ts';

/** One readable line: the address that a container is announced at and why, or why it is not announced. */
export function announcement({
  entry,
  services = [],
}: Pick<ContainerReport, 'entry'> & Partial<ContainerReport>): {
  readonly announced: boolean;
  readonly text: string;
} {
  const { snapshot, choice, problem, awaitingAddress } = entry;
  const notAnnounced = (why: string) => ({ announced: false, text: `not announced: ${why}` });
  if (isHeddleItself(snapshot) && services.length === 0) return notAnnounced(roleText(snapshot));
  if (snapshot.paused) return notAnnounced('it is paused');
  if (!snapshot.running) return notAnnounced('it is not running');
  if (entry.draining) return notAnnounced('it is stopping');
  if (problem !== undefined) return notAnnounced(problem);
  if (awaitingAddress) return { announced: false, text: 'not announced yet: waiting for its address' };
  const [service] = services;
  // SERVICE_ADDRESS and SERVICE_NETWORK set the address, whatever the policy finds.
  const isSetByMetadata =
    service !== undefined &&
    (!choice.chosen || (!choice.hostPorts && services.every(({ address }) => address !== choice.ip)));
  if (isSetByMetadata) {
    return { announced: true, text: `${service.address}: set by its own metadata` };
  }
  if (!choice.chosen) return notAnnounced(choice.tried.map(({ term, why }) => `${term}: ${why}`).join('; '));
  const { ip, ipv6, reason } = choice;
  return { announced: true, text: `${ipv6 === undefined ? ip : `${ip} and ${ipv6}`}: ${reason}` };
}

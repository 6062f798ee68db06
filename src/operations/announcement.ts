import { isHeddleItself, ownText } from '../docker/heddle-container.ts';
import type { ContainerReport } from './host-operations.ts';

/** Where a container is announced and why, or why it is not: one line for people. */
export function announcement({
  entry,
  services = [],
}: Pick<ContainerReport, 'entry'> & Partial<ContainerReport>): {
  readonly announced: boolean;
  readonly text: string;
} {
  const { snapshot, choice, problem, awaitingAddress } = entry;
  const not = (why: string) => ({ announced: false, text: `not announced: ${why}` });
  if (isHeddleItself(snapshot) && services.length === 0) return not(ownText(snapshot));
  if (snapshot.paused) return not('it is paused');
  if (!snapshot.running) return not('it is not running');
  if (entry.draining) return not('it was told to stop');
  if (problem !== undefined) return not(problem);
  if (awaitingAddress) return { announced: false, text: 'not announced yet: waiting for its address' };
  const [service] = services;
  // SERVICE_ADDRESS and SERVICE_NETWORK need no address that the policy finds.
  const isElsewhere =
    service !== undefined &&
    (!choice.chosen || (!choice.hostPorts && services.every(({ address }) => address !== choice.ip)));
  if (isElsewhere) {
    return { announced: true, text: `${service.address}: its own metadata names it` };
  }
  if (!choice.chosen) return not(choice.tried.map(({ word, why }) => `${word}: ${why}`).join('; '));
  const { ip, ipv6, reason } = choice;
  return { announced: true, text: `${ipv6 === undefined ? ip : `${ip} and ${ipv6}`}: ${reason}` };
}

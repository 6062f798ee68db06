import type { AnnouncementPolicy } from '../addresses/policy.ts';
import type { EngineInfo } from '../docker/engine.ts';
import { type Finding, ok } from './finding.ts';

/** Since this version, Docker drops packets to a container's own address unless they arrive on its bridge. */
const FIRST_CLOSED = 28;

/** Whether other hosts reach the announced addresses. No finding for engines that do not filter such packets. */
export function findDirectRouting(
  { version, maker }: Pick<EngineInfo, 'version' | 'maker'>,
  { policy, isShared }: AnnouncementPolicy,
): readonly Finding[] {
  if (maker !== 'docker' || !(Number.parseInt(version, 10) >= FIRST_CLOSED)) return [];
  const subject = 'direct routing';
  const closed = `Docker ${version} drops packets to its containers' own addresses unless they arrive by its bridge`;
  const uses = policy.filter(({ kind }) => kind === 'internal' || kind === 'network').map(({ text }) => text);
  if (!isShared || uses.length === 0)
    return [ok(subject, `${closed}; ethwe and published ports stay reachable`)];
  return [
    {
      subject,
      state: 'warning',
      detail: `${closed}, and containers are announced at these addresses (--address ${uses.join(',')}): other hosts do not reach them`,
      advice:
        'announce ethwe or published ports instead, or start Docker with --allow-direct-routing and route its networks',
    },
  ];
}

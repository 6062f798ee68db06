import type { Announcing } from '../addresses/policy.ts';
import type { EngineInfo } from '../docker/engine.ts';
import { type Finding, ok } from './finding.ts';

/** From this version on Docker drops what reaches a container's own address by another interface than its bridge. */
const FIRST_CLOSED = 28;

/** Whether other hosts reach the addresses that are announced; nothing to say of engines that let them through. */
export function findDirectRouting(
  { version, maker }: Pick<EngineInfo, 'version' | 'maker'>,
  { policy, isShared }: Announcing,
): readonly Finding[] {
  if (maker !== 'docker' || !(Number.parseInt(version, 10) >= FIRST_CLOSED)) return [];
  const subject = 'direct routing';
  const closed = `Docker ${version} drops what reaches its containers' own addresses by other interfaces than its bridge`;
  const uses = policy.filter(({ kind }) => kind === 'internal' || kind === 'network').map(({ text }) => text);
  if (!isShared || uses.length === 0)
    return [ok(subject, `${closed}; ethwe and published ports are reached`)];
  return [
    {
      subject,
      state: 'warning',
      detail: `${closed}, and containers are announced at those (--address ${uses.join(',')}): other hosts do not reach them`,
      advice:
        'announce ethwe or published ports instead, or start Docker with --allow-direct-routing and route its networks',
    },
  ];
}

import type { Claims } from '../ipam/claims.ts';
import type { AttachTarget, NetworkEngine } from '../network/engine.ts';

export interface LeavingNeeds {
  readonly claims: Pick<Claims, 'releasing' | 'released'>;
  readonly network: Pick<NetworkEngine, 'detach'>;
}

/** Takes off a container what it has given up: a detach that was cut short is finished by the next look at it. */
export async function finishLeaving({ claims, network }: LeavingNeeds, target: AttachTarget): Promise<void> {
  const cidrs = claims.releasing(target.container);
  if (cidrs.length === 0) return;
  await network.detach(target, cidrs);
  await claims.released(target.container, cidrs);
}

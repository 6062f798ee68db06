import type { Service } from '../../services/service.ts';
import type { Registry } from '../registry.ts';
import type { Desired } from './desired.ts';

export interface SettleNeeds {
  readonly registry: Pick<Registry, 'foreign'>;
  readonly desired: Pick<Desired, 'wantedIds' | 'setForeign'>;
}

/**
 * Finds out which SERVICE_IDs the registry has of somebody else. Asked before anything is compared, or a service that
 * has its own id for that reason would be taken out at every start, and put back when the registry said no.
 */
export async function findForeignIds(
  { registry, desired }: SettleNeeds,
  held: readonly Service[],
  signal: AbortSignal,
): Promise<void> {
  const ours = new Set(held.map(({ id }) => id));
  const missing = [...desired.wantedIds()].filter((id) => !ours.has(id));
  if (missing.length === 0 || registry.foreign === undefined) return;
  const foreign = new Set(await registry.foreign(missing, signal));
  for (const id of missing) desired.setForeign(id, foreign.has(id));
}

import type { Service } from '../../services/service.ts';
import type { Registry } from '../registry.ts';
import type { Desired } from './desired.ts';

export interface ForeignIdsNeeds {
  readonly registry: Pick<Registry, 'foreign'>;
  readonly desired: Pick<Desired, 'requestedIds' | 'setForeign'>;
}

/**
 * Finds the requested SERVICE_IDs that belong to another owner in the registry. It must run before the comparison:
 * otherwise every start would deregister a service under its generated id, and register it again after the rejection.
 */
export async function findForeignIds(
  { registry, desired }: ForeignIdsNeeds,
  held: readonly Service[],
  signal: AbortSignal,
): Promise<void> {
  const ours = new Set(held.map(({ id }) => id));
  const missing = [...desired.requestedIds()].filter((id) => !ours.has(id));
  if (missing.length === 0 || registry.foreign === undefined) return;
  const foreign = new Set(await registry.foreign(missing, signal));
  for (const id of missing) desired.setForeign(id, foreign.has(id));
}

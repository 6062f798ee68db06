import { checkStatus, checksReportedByHeddle } from '../../services/health.ts';
import type { Check, Service } from '../../services/service.ts';
import type { Registry } from '../registry.ts';

/** Ids of services whose check status in the registry is stale: a restarted agent has forgotten the statuses. */
export async function staleChecks(
  services: Iterable<Service>,
  registry: Pick<Registry, 'checkedBy' | 'statuses'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const checksOf = (service: Service) => checksReportedByHeddle(service, registry.checkedBy);
  const withChecks = [...services].filter((service) => checksOf(service).length > 0);
  if (withChecks.length === 0) return [];
  const held = await registry.statuses(signal);
  const isStale = (check: Check) => held.get(check.id) !== checkStatus(check);
  return withChecks.filter((service) => checksOf(service).some(isStale)).map(({ id }) => id);
}

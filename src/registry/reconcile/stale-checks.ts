import { checkStatus, checksReportedByHeddle } from '../../services/health.ts';
import type { Check, Service } from '../../services/service.ts';
import type { Registry } from '../registry.ts';

/** Ids whose checks the registry has otherwise than they are: an agent that was restarted has forgotten them. */
export async function staleChecks(
  services: Iterable<Service>,
  registry: Pick<Registry, 'checkedBy' | 'statuses'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const checksOf = (service: Service) => checksReportedByHeddle(service, registry.checkedBy);
  const concerned = [...services].filter((service) => checksOf(service).length > 0);
  if (concerned.length === 0) return [];
  const heard = await registry.statuses(signal);
  const differs = (check: Check) => heard.get(check.id) !== checkStatus(check);
  return concerned.filter((service) => checksOf(service).some(differs)).map(({ id }) => id);
}

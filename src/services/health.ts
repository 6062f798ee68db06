import type { Health, Snapshot } from '../docker/snapshot.ts';
import {
  type Check,
  type CheckKind,
  type CheckStatus,
  isDerived,
  isReported,
  type Service,
} from './service.ts';

/** The kinds of checks that heddle runs, or derives from the container, if no agent runs checks. */
export const HEDDLE_CHECK_KINDS: ReadonlySet<CheckKind['kind']> = new Set([
  'http',
  'tcp',
  'ttl',
  'healthcheck',
]);

/** The check status for each state of a container's HEALTHCHECK. A starting container only warns: it is answered. */
const STATUS_OF_HEALTH: Readonly<Record<Health, CheckStatus>> = {
  none: 'passing',
  starting: 'warning',
  healthy: 'passing',
  unhealthy: 'critical',
};

/** The statuses of a service's derived checks by check id, from the state of its container. */
export function derivedStatuses(
  service: Service,
  { running, health }: Pick<Snapshot, 'running' | 'health'>,
): ReadonlyMap<string, CheckStatus> {
  // With --deregister on-success a stopped container can still be registered.
  const statusOf = ({ kind }: Check) => {
    if (!running) return 'critical';
    return kind === 'ttl' ? 'passing' : STATUS_OF_HEALTH[health];
  };
  return new Map(service.checks.filter(isDerived).map((check) => [check.id, statusOf(check)]));
}

/** The checks of a service whose status heddle reports to the registry. */
export function checksReportedByHeddle(service: Service, checkedBy: 'agent' | 'heddle'): readonly Check[] {
  return checkedBy === 'heddle' ? service.checks : service.checks.filter(isReported);
}

/** A check without a reported status is critical, as in Consul. */
export function checkStatus({ status = 'critical' }: Check): CheckStatus {
  return status;
}

/** The worst of several statuses; passing if there are none. */
export function worstStatus(statuses: Iterable<CheckStatus>): CheckStatus {
  const all = new Set(statuses);
  return (['critical', 'warning'] as const).find((status) => all.has(status)) ?? 'passing';
}

/** Whether DNS answers an instance of this status: never a critical one, and with `onlyPassing` only a passing one. */
export function isAnswered(status: CheckStatus, { onlyPassing }: { readonly onlyPassing: boolean }): boolean {
  return status === 'passing' || (status === 'warning' && !onlyPassing);
}

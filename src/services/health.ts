import type { Health, Snapshot } from '../docker/snapshot.ts';
import { type Check, type CheckKind, type CheckStatus, isReported, isTold, type Service } from './service.ts';

/** The kinds of checks that heddle runs, or tells, by itself where no agent does. */
export const HEDDLES_KINDS: ReadonlySet<CheckKind['kind']> = new Set(['http', 'tcp', 'ttl', 'healthcheck']);

/** What a container's HEALTHCHECK means for its service: one that starts is not yet to be preferred, and answers. */
const OF_HEALTH: Readonly<Record<Health, CheckStatus>> = {
  none: 'passing',
  starting: 'warning',
  healthy: 'passing',
  unhealthy: 'critical',
};

/** What is true of those checks of a container's service that are only told, by id. */
export function toldStatuses(
  service: Service,
  { running, health }: Pick<Snapshot, 'running' | 'health'>,
): ReadonlyMap<string, CheckStatus> {
  // A container that ended can still be registered, where that is wanted.
  const truth = ({ kind }: Check) => {
    if (!running) return 'critical';
    return kind === 'ttl' ? 'passing' : OF_HEALTH[health];
  };
  return new Map(service.checks.filter(isTold).map((check) => [check.id, truth(check)]));
}

/** Those of a service's checks whose status a registry hears from heddle. */
export function heddlesChecks(service: Service, checkedBy: 'agent' | 'heddle'): readonly Check[] {
  return checkedBy === 'heddle' ? service.checks : service.checks.filter(isReported);
}

/** A check is critical until somebody says better, as Consul has it. */
export function statusOf({ status = 'critical' }: Check): CheckStatus {
  return status;
}

/** The worst of several statuses; passing where there are none. */
export function worst(statuses: Iterable<CheckStatus>): CheckStatus {
  const all = new Set(statuses);
  return (['critical', 'warning'] as const).find((status) => all.has(status)) ?? 'passing';
}

/** Whether an instance of this status is answered: a critical one never, one that warns unless only those that pass are. */
export function isAnswered(status: CheckStatus, { onlyPassing }: { readonly onlyPassing: boolean }): boolean {
  return status === 'passing' || (status === 'warning' && !onlyPassing);
}

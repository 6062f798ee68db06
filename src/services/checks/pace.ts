import { type Check, isReported, type Service } from '../service.ts';
import { milliseconds } from './duration.ts';

/** What checks come to: requests to the container, or to the agent that a status is reported to. */
export interface CheckLoad {
  /** One run of each check, and one report of each status. */
  readonly requests: number;
  readonly aSecond: number;
}

/** Two reports in a row may be lost before a TTL check expires. */
export const REPORTS_PER_TTL = 3;
/** Consul's own shortest interval, and heddle's. */
export const LEAST_INTERVAL_MS = 1_000;
/** Of one container, whoever runs its checks. */
const MOST_A_SECOND = 50;

/** The load of one service's checks. */
export function loadOf({ checks }: Pick<Service, 'checks'>): CheckLoad {
  let requests = 0;
  let aSecond = 0;
  for (const check of checks) {
    const period = periodOf(check);
    if (period === undefined) continue;
    // A report tells all statuses of the service.
    const each = check.kind === 'ttl' ? checks.filter(isReported).length : 1;
    requests += each;
    aSecond += (each * 1_000) / period;
  }
  return { requests, aSecond };
}

/**
 * The shortest period that keeps all checks of a container within the bound, in ms; undefined where they are within it
 * as they are.
 */
export function leastPeriod({ requests, aSecond }: CheckLoad): number | undefined {
  if (aSecond <= MOST_A_SECOND) return undefined;
  return Math.ceil((requests / MOST_A_SECOND) * 10) * 100;
}

/** The service with no check that runs, or is reported, more often than once in the period. */
export function slowed<S extends Pick<Service, 'checks'>>(service: S, leastMs: number): S {
  const checks = service.checks.map((check): Check => {
    const period = periodOf(check);
    if (period === undefined || period >= leastMs) return check;
    if (check.kind === 'ttl') return { ...check, ttl: inSeconds(leastMs * REPORTS_PER_TTL) };
    return { ...check, interval: inSeconds(leastMs) };
  });
  return { ...service, checks };
}

/** What is said of a container whose checks are slowed down. */
export function tooOften({ aSecond }: CheckLoad, leastMs: number): string {
  const most = `more than the ${MOST_A_SECOND} of one container`;
  return `its checks would run ${Math.round(aSecond)} times a second, ${most}; none runs more often than every ${inSeconds(leastMs)}`;
}

/** Time between two runs or reports, in ms; undefined for a check that has no time of its own. */
function periodOf(check: Check): number | undefined {
  const isTtl = check.kind === 'ttl';
  const given = milliseconds((isTtl ? check.ttl : check.interval) ?? '');
  if (given === undefined) return undefined;
  return isTtl ? given / REPORTS_PER_TTL : Math.max(LEAST_INTERVAL_MS, given);
}

function inSeconds(ms: number): string {
  return `${ms / 1_000}s`;
}

import { type Check, isReported, type Service } from '../service.ts';
import { milliseconds } from './duration.ts';

/** The requests that checks cause: to the container, or to the agent that gets the reports. */
export interface CheckLoad {
  /** Requests for one run of each check and one report of each status. */
  readonly requests: number;
  readonly perSecond: number;
}

/** Two reports in a row may be lost before a TTL check expires. */
export const REPORTS_PER_TTL = 3;
/** The shortest interval of Consul and of heddle. */
export const MIN_INTERVAL_MS = 1_000;
/** For all checks of one container, run by heddle or by the agent. */
const MAX_PER_SECOND = 50;

/** The load of one service's checks. */
export function loadOf({ checks }: Pick<Service, 'checks'>): CheckLoad {
  let requests = 0;
  let perSecond = 0;
  for (const check of checks) {
    const period = periodOf(check);
    if (period === undefined) continue;
    // A report contains all statuses of the service.
    const each = check.kind === 'ttl' ? checks.filter(isReported).length : 1;
    requests += each;
    perSecond += (each * 1_000) / period;
  }
  return { requests, perSecond };
}

/** The shortest period that keeps all checks of a container within the bound, in ms; undefined if they already are. */
export function minPeriod({ requests, perSecond }: CheckLoad): number | undefined {
  // Ninety times 5/9 is not quite 50 in floating point.
  if (Math.round(perSecond * 1e6) <= MAX_PER_SECOND * 1e6) return undefined;
  return Math.ceil((requests / MAX_PER_SECOND) * 10) * 100;
}

/** The service with no check that is run or reported more often than once in the period. */
export function rateLimited<S extends Pick<Service, 'checks'>>(service: S, minMs: number): S {
  const checks = service.checks.map((check): Check => {
    const period = periodOf(check);
    if (period === undefined || period >= minMs) return check;
    if (check.kind === 'ttl') return { ...check, ttl: inSeconds(minMs * REPORTS_PER_TTL) };
    return { ...check, interval: inSeconds(minMs) };
  });
  return { ...service, checks };
}

/** The sentence about a container whose checks are slowed down. */
export function rateLimitProblem({ perSecond }: CheckLoad, minMs: number): string {
  const limit = `more than the ${MAX_PER_SECOND} of one container`;
  return `its checks would run ${Math.round(perSecond)} times a second, ${limit}; none runs more often than every ${inSeconds(minMs)}`;
}

/** Time between two runs or reports, in ms; undefined for a check without an interval or a TTL. */
function periodOf(check: Check): number | undefined {
  const isTtl = check.kind === 'ttl';
  const given = milliseconds((isTtl ? check.ttl : check.interval) ?? '');
  if (given === undefined) return undefined;
  return isTtl ? given / REPORTS_PER_TTL : Math.max(MIN_INTERVAL_MS, given);
}

function inSeconds(ms: number): string {
  return `${ms / 1_000}s`;
}

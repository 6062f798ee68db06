import { type Health, type Protocol, shortId } from '../../docker/snapshot.ts';
import type { PortVariables, Variable } from '../environment.ts';
import type { Check, CheckKind, CheckStatus } from '../service.ts';
import { milliseconds } from './duration.ts';
import { type HttpCheckOptions, httpCheck } from './http-check.ts';
import {
  ANOTHER_PORT,
  isOn,
  type Note,
  optional,
  parameter,
  quoted,
  skipVerify,
  Unusable,
} from './setting.ts';
import { shellWords } from './shell-words.ts';
import type { Endpoint } from './target-address.ts';

/** What a check is about. */
export interface CheckTarget {
  /** The service's own id; ids of checks follow from it. */
  readonly serviceId: string;
  readonly container: string;
  readonly address: string;
  /** As announced. */
  readonly port: number;
  /** What the container's HEALTHCHECK says; default that it has none. */
  readonly health?: Health;
  /** Why no check may go to an endpoint; undefined where one may. */
  readonly refusal: (endpoint: Endpoint) => string | undefined;
  /** The number that another port of the container has at the address; undefined where it is not reached there. */
  readonly reach: (containerPort: number) => number | undefined;
}

export interface CheckOptions extends HttpCheckOptions {
  /** Which kinds somebody runs here; default none. */
  readonly runs?: (kind: CheckKind['kind']) => boolean;
  /** Let containers name commands that the agent's host runs; default false. */
  readonly allowScriptChecks?: boolean;
  /** Make a check of every container's HEALTHCHECK; default true. */
  readonly healthcheck?: boolean;
  /** Kinds that heddle runs itself although the registry has an agent; default none. */
  readonly heddleRuns?: (kind: CheckKind['kind']) => boolean;
}

interface Request {
  /** As the container spells it. */
  readonly variable: string;
  readonly value: string;
  readonly settings: PortVariables;
  readonly target: CheckTarget;
  readonly options: CheckOptions;
  readonly note: Note;
}

type Timing = Pick<Check, 'interval' | 'timeout' | 'deregisterAfter' | 'status'>;

/** Every kind by its key: `check_http` and so on. Throws a sentence where the value is not usable. */
const KINDS: Readonly<Record<string, (request: Request) => CheckKind>> = {
  http: (request) => httpCheck('http', { ...request, endpoint: () => endpoint(request) }),
  https: (request) => httpCheck('https', { ...request, endpoint: () => endpoint(request) }),
  tcp: (request) => ({ kind: 'tcp', target: switchedOn(request) }),
  udp: (request) => ({ kind: 'udp', target: switchedOn(request, 'udp') }),
  grpc: (request) => ({
    kind: 'grpc',
    target: switchedOn(request),
    ...(isOn(request.settings, 'check_grpc_use_tls') && { tls: true }),
    ...skipVerify(request.settings),
  }),
  h2ping: (request) => ({ kind: 'h2ping', target: switchedOn(request), ...skipVerify(request.settings) }),
  ttl: ({ value }) => ({ kind: 'ttl', ttl: timeToLive(value) }),
  script: ({ value, target }) => ({ kind: 'script', args: scriptArgs(value, target) }),
  // registrator's convention: a program of this name beside the agent enters the container and runs the command.
  cmd: ({ value, target }) => ({
    kind: 'script',
    args: ['check-cmd', shortId(target.container), String(target.port), value],
  }),
  docker: ({ value, target }) => ({
    kind: 'docker',
    container: target.container,
    shell: '/bin/sh',
    args: ['/bin/sh', '-c', value],
  }),
};

/** Kinds that make Consul's agent run a command; it refuses a service for them unless it was told otherwise. */
const COMMANDS: readonly CheckKind['kind'][] = ['script', 'docker'];

const STATUSES: readonly CheckStatus[] = ['passing', 'warning', 'critical'];
const DEFAULT_INTERVAL = '10s';
/** Heddle tells a check three times in its life; a shorter one would be a load on everybody. */
const LEAST_TTL_MS = 1000;
/** So long a HEALTHCHECK's last word stands without heddle: its own absence must not hide containers that live. */
const HEALTHCHECK_TTL = '24h';

/**
 * All checks that SERVICE_CHECK_* asks for, several of them if it does, and the container's own HEALTHCHECK; `note`
 * takes a sentence for what cannot be.
 */
export function checksOf(
  settings: PortVariables,
  target: CheckTarget,
  options: CheckOptions,
  note: Note,
): readonly Check[] {
  const checks: Check[] = [...healthcheck(target, options)];
  for (const [word, parse] of Object.entries(KINDS)) {
    const setting = settings.get(`check_${word}`);
    const value = setting?.value.trim() ?? '';
    if (setting === undefined || value === '') continue;
    try {
      const { variable } = setting;
      const kind = parse({ variable, value, settings, target, options, note });
      permit(kind.kind, options);
      const id = `${target.serviceId}~${word}`;
      const runBy = options.heddleRuns?.(kind.kind) === true && ({ runBy: 'heddle' } as const);
      checks.push({ id, name: `${word} check`, ...timing(kind.kind, settings, note), ...kind, ...runBy });
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      note(`${setting.variable} is left out: ${error.message}`);
    }
  }
  return checks;
}

function healthcheck({ serviceId, health = 'none' }: CheckTarget, options: CheckOptions): Check[] {
  const wanted = health !== 'none' && options.healthcheck !== false && options.runs?.('healthcheck') === true;
  const id = `${serviceId}~healthcheck`;
  return wanted
    ? [{ id, name: "the container's HEALTHCHECK", kind: 'healthcheck', ttl: HEALTHCHECK_TTL }]
    : [];
}

function permit(kind: CheckKind['kind'], options: CheckOptions): void {
  if (options.runs?.(kind) !== true) throw new Unusable(`nobody runs ${kind} checks with this registry`);
  if (COMMANDS.includes(kind) && options.allowScriptChecks !== true) {
    throw new Unusable('checks that run commands need --allow-script-checks');
  }
}

function timing(kind: CheckKind['kind'], settings: PortVariables, note: Note): Timing {
  const read = <T>(key: string, parse: (text: string) => T) => parameter(settings, key, parse, note);
  const interval = read('check_interval', duration) ?? DEFAULT_INTERVAL;
  const deregisterAfter = optional('deregisterAfter', read('check_deregister_after', duration));
  if (kind === 'ttl') return deregisterAfter;
  return {
    interval,
    ...optional('timeout', read('check_timeout', duration)),
    ...deregisterAfter,
    ...optional('status', read('check_initial_status', statusOf)),
  };
}

/** Words as a shell would split them; the address is put in afterwards, so that it stays one word. */
function scriptArgs(script: string, { address, port }: CheckTarget): string[] {
  const words = shellWords(script);
  if (words === undefined) throw new Unusable('a quote is not closed');
  return words.map((word) => word.replaceAll('$SERVICE_IP', address).replaceAll('$SERVICE_PORT', `${port}`));
}

/** Where a check goes: the service's own port, or the one of CHECK_PORT, if the target permits. */
function endpoint(
  { settings, target }: Pick<Request, 'settings' | 'target'>,
  protocol: Protocol = 'tcp',
): string {
  const { address } = target;
  const port = portOf(settings.get('check_port'), target);
  if (port === 0) throw new Unusable('there is no port to check');
  const why = target.refusal({ address, port, protocol });
  if (why !== undefined) throw new Unusable(why);
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A port of the container, as the service's own is. */
function portOf(setting: Variable | undefined, { port, reach }: CheckTarget): number {
  const text = setting?.value.trim() ?? '';
  if (setting === undefined || text === '') return port;
  const given = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (given < 1 || given > 65_535) throw new Unusable(`${setting.variable} ${quoted(text)} is no port`);
  const reached = reach(given);
  if (reached === undefined) {
    throw new Unusable(`port ${given} of ${setting.variable} is not published on the host`);
  }
  return reached;
}

/** The endpoint of a check that a key only switches on. */
function switchedOn(request: Request, protocol?: Protocol): string {
  const { variable, value, note } = request;
  if (/[:./]|^\d\d+$/.test(value)) {
    note(
      `${variable} ${quoted(value)} is not read: such a check goes to the service's own port${ANOTHER_PORT}`,
    );
  }
  return endpoint(request, protocol);
}

function statusOf(text: string): CheckStatus {
  const status = STATUSES.find((known) => known === text);
  if (status === undefined) throw new Unusable(`${quoted(text)} is not one of ${STATUSES.join(', ')}`);
  return status;
}

/** Consul refuses the whole service for one that it cannot read. */
function duration(text: string): string {
  if ((milliseconds(text) ?? 0) > 0) return text;
  throw new Unusable(`${quoted(text)} is no duration; expected one like 10s or 1m30s`);
}

function timeToLive(text: string): string {
  if ((milliseconds(duration(text)) ?? 0) >= LEAST_TTL_MS) return text;
  throw new Unusable(`${quoted(text)} is too short to be kept alive; expected at least 1s`);
}

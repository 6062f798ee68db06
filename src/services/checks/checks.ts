import { type Health, type Protocol, shortId } from '../../docker/snapshot.ts';
import type { PortVariables, Variable } from '../environment.ts';
import type { Note } from '../note.ts';
import type { Check, CheckKind, CheckStatus } from '../service.ts';
import { milliseconds } from './duration.ts';
import { type HttpCheckOptions, httpCheck } from './http-check.ts';
import { ANOTHER_PORT, isOn, optional, parameter, quoted, skipVerify, Unusable } from './setting.ts';
import { shellWords } from './shell-words.ts';
import type { Endpoint } from './target-address.ts';

/** The service and container that a check is for. */
export interface CheckTarget {
  /** The service's generated id; check ids are derived from it. */
  readonly serviceId: string;
  readonly container: string;
  readonly address: string;
  /** The announced port. */
  readonly port: number;
  /** The state of the container's HEALTHCHECK; default: it has none. */
  readonly health?: Health;
  /** Why a check may not target an endpoint; undefined if it may. */
  readonly refusal: (endpoint: Endpoint) => string | undefined;
  /** The number of another container port at the address; undefined if that port is not reachable there. */
  readonly reachablePort: (containerPort: number) => number | undefined;
}

export interface CheckOptions extends HttpCheckOptions {
  /** Which kinds of checks the registry or heddle runs; default none. */
  readonly runs?: (kind: CheckKind['kind']) => boolean;
  /** Let containers set commands that the agent runs on its host; default false. */
  readonly allowScriptChecks?: boolean;
  /** Register every container's HEALTHCHECK as a check; default true. */
  readonly healthcheck?: boolean;
  /** Kinds that heddle runs itself although the registry has an agent; default none. */
  readonly heddleRuns?: (kind: CheckKind['kind']) => boolean;
}

interface Request {
  /** The variable's name as the container spells it. */
  readonly variable: string;
  readonly value: string;
  readonly settings: PortVariables;
  readonly target: CheckTarget;
  readonly options: CheckOptions;
  readonly note: Note;
}

type Timing = Pick<Check, 'interval' | 'timeout' | 'deregisterAfter' | 'status'>;

/** Every kind by its key: `check_http` and so on. Throws Unusable if the value is not usable. */
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
  // registrator's convention: `check-cmd` on the agent's host enters the container and runs the command.
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

/** Kinds that make Consul's agent run a command. By default the agent rejects services with such checks. */
const COMMANDS: readonly CheckKind['kind'][] = ['script', 'docker'];

const STATUSES: readonly CheckStatus[] = ['passing', 'warning', 'critical'];
const DEFAULT_INTERVAL = '10s';
/** heddle reports a check three times within its TTL; a shorter TTL would load heddle and the agent. */
const MIN_TTL_MS = 1000;
/** How long the last HEALTHCHECK status stays valid without heddle: a stopped heddle must not hide live containers. */
const HEALTHCHECK_TTL = '24h';

/**
 * The check of the container's HEALTHCHECK and all checks that SERVICE_CHECK_* asks for. `note` receives a sentence for
 * each that is left out.
 */
export function checksOf(
  settings: PortVariables,
  target: CheckTarget,
  options: CheckOptions,
  note: Note,
): readonly Check[] {
  const checks: Check[] = [...healthcheck(target, options)];
  for (const [key, parse] of Object.entries(KINDS)) {
    const setting = settings.get(`check_${key}`);
    const value = setting?.value.trim() ?? '';
    if (setting === undefined || value === '') continue;
    try {
      const { variable } = setting;
      const kind = parse({ variable, value, settings, target, options, note });
      permit(kind.kind, options);
      const id = `${target.serviceId}~${key}`;
      const runBy = options.heddleRuns?.(kind.kind) === true && ({ runBy: 'heddle' } as const);
      checks.push({ id, name: `${key} check`, ...timing(kind.kind, settings, note), ...kind, ...runBy });
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      note(`${setting.variable} is left out: ${error.message}`);
    }
  }
  return checks;
}

function healthcheck({ serviceId, health = 'none' }: CheckTarget, options: CheckOptions): Check[] {
  const isEnabled =
    health !== 'none' && options.healthcheck !== false && options.runs?.('healthcheck') === true;
  const id = `${serviceId}~healthcheck`;
  return isEnabled
    ? [{ id, name: "the container's HEALTHCHECK", kind: 'healthcheck', ttl: HEALTHCHECK_TTL }]
    : [];
}

function permit(kind: CheckKind['kind'], options: CheckOptions): void {
  if (options.runs?.(kind) !== true)
    throw new Unusable(`${kind} checks are not supported with this registry`);
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

/** The shell words of a script. Address and port are inserted after splitting, so that they are never split. */
function scriptArgs(script: string, { address, port }: CheckTarget): string[] {
  const args = shellWords(script);
  if (args === undefined) throw new Unusable('a quote is not closed');
  return args.map((arg) => arg.replaceAll('$SERVICE_IP', address).replaceAll('$SERVICE_PORT', `${port}`));
}

/** The endpoint of a check: the service's own port or the one of CHECK_PORT, if checks may target it. */
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

/** The port to check; CHECK_PORT names a port of the container. */
function portOf(setting: Variable | undefined, { port, reachablePort }: CheckTarget): number {
  const text = setting?.value.trim() ?? '';
  if (setting === undefined || text === '') return port;
  const given = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (given < 1 || given > 65_535) throw new Unusable(`${setting.variable} ${quoted(text)} is not a port`);
  const reached = reachablePort(given);
  if (reached === undefined) {
    throw new Unusable(`port ${given} of ${setting.variable} is not published on the host`);
  }
  return reached;
}

/** The endpoint of a check whose key is only a switch. */
function switchedOn(request: Request, protocol?: Protocol): string {
  const { variable, value, note } = request;
  if (/[:./]|^\d\d+$/.test(value)) {
    note(`${variable} ${quoted(value)} is ignored: this check targets the service's own port${ANOTHER_PORT}`);
  }
  return endpoint(request, protocol);
}

function statusOf(text: string): CheckStatus {
  const status = STATUSES.find((known) => known === text);
  if (status === undefined) throw new Unusable(`${quoted(text)} is not one of ${STATUSES.join(', ')}`);
  return status;
}

/** Validated here, because Consul rejects the whole service for one invalid duration. */
function duration(text: string): string {
  if ((milliseconds(text) ?? 0) > 0) return text;
  throw new Unusable(`${quoted(text)} is not a duration; expected one like 10s or 1m30s`);
}

function timeToLive(text: string): string {
  if ((milliseconds(duration(text)) ?? 0) >= MIN_TTL_MS) return text;
  throw new Unusable(`${quoted(text)} is too short; expected at least 1s`);
}

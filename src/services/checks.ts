import { type Health, shortId } from '../docker/snapshot.ts';
import { milliseconds } from './duration.ts';
import { commaList, type Settings } from './environment.ts';
import { shown } from './meta.ts';
import type { Check, CheckKind, CheckStatus } from './service.ts';
import { shellWords } from './shell-words.ts';

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
}

export interface CheckOptions {
  /** Which kinds somebody runs here; default none. */
  readonly runs?: (kind: CheckKind['kind']) => boolean;
  /** Let containers name commands that the agent's host runs; default false. */
  readonly allowScriptChecks?: boolean;
  /** Make a check of every container's HEALTHCHECK; default true. */
  readonly healthcheck?: boolean;
}

interface Request {
  readonly value: string;
  readonly settings: Settings;
  readonly target: CheckTarget;
  /** Takes a sentence about a setting that is left out, the check staying. */
  readonly note: (problem: string) => void;
}

type Timing = Pick<Check, 'interval' | 'timeout' | 'deregisterAfter' | 'status'>;

/** Every kind by its key: `check_http` and so on. Throws a sentence where the value is not usable. */
const KINDS: Readonly<Record<string, (request: Request) => CheckKind>> = {
  http: (request) => httpCheck('http', request),
  https: (request) => httpCheck('https', request),
  tcp: ({ target }) => ({ kind: 'tcp', target: endpoint(target) }),
  udp: ({ target }) => ({ kind: 'udp', target: endpoint(target) }),
  grpc: ({ settings, target }) => ({
    kind: 'grpc',
    target: endpoint(target),
    ...(on(settings, 'check_grpc_use_tls') && { tls: true }),
    ...skipVerify(settings),
  }),
  h2ping: ({ settings, target }) => ({ kind: 'h2ping', target: endpoint(target), ...skipVerify(settings) }),
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
  settings: Settings,
  target: CheckTarget,
  options: CheckOptions,
  note: (problem: string) => void,
): readonly Check[] {
  const checks: Check[] = [...healthcheck(target, options)];
  for (const [word, parse] of Object.entries(KINDS)) {
    const setting = settings.get(`check_${word}`);
    const value = setting?.value.trim() ?? '';
    if (setting === undefined || value === '') continue;
    try {
      const kind = parse({ value, settings, target, note });
      permit(kind.kind, options);
      const id = `${target.serviceId}~${word}`;
      checks.push({ id, name: `${word} check`, ...timing(kind.kind, settings, note), ...kind });
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

/** Why a value cannot be used. */
class Unusable extends Error {}

function permit(kind: CheckKind['kind'], options: CheckOptions): void {
  if (options.runs?.(kind) !== true) throw new Unusable(`nobody runs ${kind} checks with this registry`);
  if (COMMANDS.includes(kind) && options.allowScriptChecks !== true) {
    throw new Unusable('checks that run commands need --allow-script-checks');
  }
}

function timing(kind: CheckKind['kind'], settings: Settings, note: Request['note']): Timing {
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

/** A setting that goes with a check; one that is not usable is left out, and the check stays. */
function parameter<T>(
  settings: Settings,
  key: string,
  parse: (text: string) => T,
  note: Request['note'],
): T | undefined {
  const setting = settings.get(key);
  if (setting === undefined || setting.value.trim() === '') return undefined;
  try {
    return parse(setting.value.trim());
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    note(`${setting.variable} is left out: ${error.message}`);
    return undefined;
  }
}

function httpCheck(scheme: 'http' | 'https', { value, settings, target, note }: Request): CheckKind {
  const url = `${scheme}://${endpoint(target)}${value.startsWith('/') ? '' : '/'}${value}`;
  if (!URL.canParse(url) || /\s/.test(value)) throw new Unusable(`${quoted(value)} is no path of a URL`);
  return {
    kind: 'http',
    url,
    ...optional('method', parameter(settings, `check_${scheme}_method`, methodOf, note)),
    ...optional('headers', parameter(settings, `check_${scheme}_header`, headersOf, note)),
    ...(scheme === 'https' && skipVerify(settings)),
  };
}

function methodOf(text: string): string {
  if (/^[A-Za-z]{1,20}$/.test(text)) return text.toUpperCase();
  throw new Unusable(`${quoted(text)} is no HTTP method`);
}

/** `Host: example.com, X-Trace: 1`. */
function headersOf(text: string): Record<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const header of commaList(text)) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x20-\x7e\t]*)$/.exec(header) ?? [];
    if (name === undefined || value === undefined) {
      throw new Unusable(`${quoted(header)} is no header; expected Name: value`);
    }
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  return Object.fromEntries(headers);
}

/** Words as a shell would split them; the address is put in afterwards, so that it stays one word. */
function scriptArgs(script: string, { address, port }: CheckTarget): string[] {
  const words = shellWords(script);
  if (words === undefined) throw new Unusable('a quote is not closed');
  return words.map((word) => word.replaceAll('$SERVICE_IP', address).replaceAll('$SERVICE_PORT', `${port}`));
}

function endpoint({ address, port }: CheckTarget): string {
  if (port === 0) throw new Unusable('there is no port to check');
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
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

function skipVerify(settings: Settings): { tlsSkipVerify?: true } {
  return on(settings, 'check_tls_skip_verify') ? { tlsSkipVerify: true } : {};
}

function on(settings: Settings, key: string): boolean {
  return !['', 'false', '0', 'no'].includes(settings.get(key)?.value.toLowerCase() ?? '');
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function quoted(text: string): string {
  return JSON.stringify(shown(text));
}

import { nearest } from '../runtime/nearest.ts';
import { isKnownKey, KNOWN_KEYS, type PortVariables, type Variable } from './environment.ts';
import { shown } from './meta.ts';

/** Names that other tools, or people, use for settings with another name here, and what to use instead. */
const SYNONYMS: Readonly<Record<string, string>> = {
  addr: 'ADDRESS announces another address',
  host: 'ADDRESS announces another address',
  ip: 'ADDRESS announces another address',
  ipaddress: 'ADDRESS announces another address',
  alias: 'NAME takes several names, as in web,alias',
  aliases: 'NAME takes several names, as in web,alias',
  names: 'NAME takes several names',
  register: 'IGNORE leaves out a container or a port',
  enable: 'IGNORE leaves out a container or a port',
  enabled: 'IGNORE leaves out a container or a port',
  disable: 'IGNORE leaves out a container or a port',
  disabled: 'IGNORE leaves out a container or a port',
  skip: 'IGNORE leaves out a container or a port',
  exclude: 'IGNORE leaves out a container or a port',
  ports: 'PORT takes several ports',
  networks: 'NETWORK takes one network',
  ttl: 'CHECK_TTL adds a check that expires; --service-ttl sets the TTL of answers',
  health: 'CHECK_HTTP or CHECK_TCP adds a check',
  healthcheck: 'CHECK_HTTP or CHECK_TCP adds a check',
  health_check: 'CHECK_HTTP or CHECK_TCP adds a check',
  check: 'CHECK_HTTP or CHECK_TCP adds a check',
  check_url: 'CHECK_HTTP takes a path, and CHECK_PORT a port',
  check_path: 'CHECK_HTTP takes a path',
  check_http_path: 'CHECK_HTTP takes a path',
  check_http_url: 'CHECK_HTTP takes a path, and CHECK_PORT a port',
  check_http_port: 'CHECK_PORT takes the port of all checks',
  check_tcp_port: 'CHECK_PORT takes the port of all checks',
  check_http_timeout: 'CHECK_TIMEOUT applies to all checks',
  check_http_interval: 'CHECK_INTERVAL applies to all checks',
  check_args: 'CHECK_SCRIPT takes a command',
  check_command: 'CHECK_SCRIPT takes a command',
  check_status: 'CHECK_INITIAL_STATUS takes a status',
  check_deregister_critical_service_after: 'CHECK_DEREGISTER_AFTER takes a duration',
  deregister_critical_service_after: 'CHECK_DEREGISTER_AFTER takes a duration',
  interval: 'CHECK_INTERVAL applies to all checks',
  timeout: 'CHECK_TIMEOUT applies to all checks',
  tls_skip_verify: 'CHECK_TLS_SKIP_VERIFY applies to all checks',
  weights: 'WEIGHT takes one or two numbers',
};

/** Values of these are commands, where quotes and braces have their own meaning. */
const COMMANDS = ['check_script', 'check_cmd', 'check_docker'];
/** `example.com/health`, but not `index.php/path`: a script's name may be followed by a path. */
const LIKE_A_HOST = /^[\w-]+(?:\.[\w-]+)*\.(?!(?:php|html?|aspx?|jsp|cgi|do)\/)[a-z]{2,}\//;
const YES = ['true', 'yes', 'on', '1'];
const NO = ['false', 'no', 'off', '0'];

/**
 * A sentence for each setting that probably does not do what it was meant to do.
 * @param seen variables that were checked before; the variables of these settings are added
 */
export function hintsOf(settings: PortVariables, seen: Set<string>): readonly string[] {
  return [...settings].flatMap(([key, setting]) => {
    if (seen.has(setting.variable)) return [];
    seen.add(setting.variable);
    const own = isKnownKey(key) ? valueHints(key, setting) : keyHints(key, setting);
    return [...own, ...quoteHints(key, setting)];
  });
}

/** Unknown keys are valid Meta, so only those that resemble a setting get a hint. */
function keyHints(key: string, { variable }: Variable): readonly string[] {
  const kept = `${shown(variable)} is not a setting and kept as Meta`;
  const dialect = Object.hasOwn(SYNONYMS, key) ? SYNONYMS[key] : undefined;
  if (dialect !== undefined) return [`${kept}; ${dialect}`];
  const meta = /^meta[_.](.+)$/.exec(key)?.[1];
  if (meta !== undefined) return [`${kept} with the whole name; without META_ it is '${shown(meta)}'`];
  const near = nearestKey(key);
  if (near !== undefined) {
    const prefix = variable.slice(0, variable.length - key.length);
    return [`${kept} (did you mean ${shown(prefix)}${near.toUpperCase()}?)`];
  }
  return key.startsWith('check_') ? [`${kept}; there is no such check`] : [];
}

/** Nearest known key by key: containers share keys, and each is compared with all known keys. */
const MAX_CACHED = 1_024;
const cached = new Map<string, string | undefined>();

function nearestKey(key: string): string | undefined {
  if (cached.has(key)) return cached.get(key);
  const near = nearest(key, KNOWN_KEYS);
  if (cached.size >= MAX_CACHED) cached.clear();
  cached.set(key, near);
  return near;
}

function valueHints(key: string, { variable, value }: Variable): readonly string[] {
  const trimmed = value.trim().toLowerCase();
  if (key === 'ignore' && NO.includes(trimmed)) {
    return [`${shown(variable)} takes effect with every non-empty value, even ${shown(trimmed)}`];
  }
  const isPath = key === 'check_http' || key === 'check_https';
  if (isPath && (YES.includes(trimmed) || LIKE_A_HOST.test(trimmed))) {
    return [`${shown(variable)} takes a path; this value checks /${shown(value.trim())}`];
  }
  if (!COMMANDS.includes(key) && value.includes('{{') && value.includes('}}')) {
    return [`${shown(variable)} contains {{…}}, which only --tags fills in`];
  }
  return [];
}

/** `docker run --env-file`, and compose's list form, keep the quotes that a shell would remove. */
function quoteHints(key: string, { variable, value }: Variable): readonly string[] {
  const trimmed = value.trim();
  const isQuoted = trimmed.length > 1 && /^(["']).*\1$/s.test(trimmed);
  if (!isQuoted || COMMANDS.includes(key)) return [];
  return [`${shown(variable)} has quotes that are part of its value; remove them`];
}

import { nearest } from '../runtime/nearest.ts';
import { SETTINGS, type SettingName, variablesOf } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables in one sentence, and characters of each: an environment may have thousands, of any length. */
const MAX_NAMED = 20;
const MAX_NAME_LENGTH = 64;

const OURS = 'HEDDLE_';
const CONSULS = 'CONSUL_';

/** Variables of Consul's own client that heddle does not use, and why. */
const UNUSED_OF_CONSUL: Readonly<Record<string, string>> = {
  CONSUL_GRPC_ADDR: 'heddle uses only the HTTP API of Consul',
  CONSUL_GRPC_CACERT: 'heddle uses only the HTTP API of Consul',
  CONSUL_GRPC_CAPATH: 'heddle uses only the HTTP API of Consul',
};

/** The variables with this prefix that heddle reads. */
export const understoodVariables = (prefix: string): readonly string[] =>
  ['HEDDLE_CONFIG', ...(Object.keys(SETTINGS) as SettingName[]).flatMap(variablesOf)].filter((name) =>
    name.startsWith(prefix),
  );

/**
 * One sentence about HEDDLE_* variables that are not settings; undefined if there are none. It does not contain values,
 * which may be secrets.
 */
export function unknownVariables(env: Environment): string | undefined {
  const rests = understoodVariables(OURS).map((name) => name.slice(OURS.length));
  const unused = unusedVariables(env, OURS, (name) => {
    const near = nearest(name.slice(OURS.length), rests);
    return near === undefined ? undefined : `did you mean ${OURS}${near}?`;
  });
  return unused && `${unused}; docs/settings.md lists all settings`;
}

/** The same for CONSUL_* variables of Consul's own client that heddle does not read. */
export function ignoredConsulVariables(env: Environment): string | undefined {
  const unused = unusedVariables(env, CONSULS, (name) => UNUSED_OF_CONSUL[name]);
  return unused && `${unused}; heddle reads ${understoodVariables(CONSULS).join(', ')}`;
}

/** An empty variable counts as not set, as in `loadSettings`. */
function unusedVariables(
  env: Environment,
  prefix: string,
  hintOf: (name: string) => string | undefined,
): string | undefined {
  const understood = new Set(understoodVariables(prefix));
  const unused = Object.keys(env)
    .filter((name) => name.startsWith(prefix) && env[name] && !understood.has(name))
    .sort();
  if (unused.length === 0) return undefined;
  const named = unused.slice(0, MAX_NAMED).map((name) => {
    const shown = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
    const hint = hintOf(name);
    return hint === undefined ? shown : `${shown} (${hint})`;
  });
  const more = unused.length > MAX_NAMED ? ` and ${unused.length - MAX_NAMED} more` : '';
  return `these variables have no effect: ${named.join(', ')}${more}`;
}

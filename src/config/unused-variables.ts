import { nearest } from '../runtime/nearest.ts';
import { SETTINGS, type SettingName, variablesOf } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What one sentence names: an environment may hold thousands of variables, of any length. */
const MOST_NAMED = 20;
const LONGEST_NAME = 64;

const OURS = 'HEDDLE_';
const CONSULS = 'CONSUL_';

/** Variables of Consul's own client that heddle has no use for. */
const UNUSED_OF_CONSUL: Readonly<Record<string, string>> = {
  CONSUL_GRPC_ADDR: 'heddle asks Consul by HTTP alone',
  CONSUL_GRPC_CACERT: 'heddle asks Consul by HTTP alone',
  CONSUL_GRPC_CAPATH: 'heddle asks Consul by HTTP alone',
};

/** The variables with this prefix that heddle reads. */
export const understoodVariables = (prefix: string): readonly string[] =>
  ['HEDDLE_CONFIG', ...(Object.keys(SETTINGS) as SettingName[]).flatMap(variablesOf)].filter((name) =>
    name.startsWith(prefix),
  );

/**
 * One sentence about the variables that look like settings of heddle and are none; undefined where there are none.
 * Their values are not printed: they may be secrets.
 */
export function unknownVariables(env: Environment): string | undefined {
  const rests = understoodVariables(OURS).map((name) => name.slice(OURS.length));
  const unused = unusedVariables(env, OURS, (name) => {
    const meant = nearest(name.slice(OURS.length), rests);
    return meant === undefined ? undefined : `did you mean ${OURS}${meant}?`;
  });
  return unused && `${unused}; docs/settings.md has all settings`;
}

/** The same for the variables that were set for Consul's own client and have no effect here. */
export function ignoredConsulVariables(env: Environment): string | undefined {
  const unused = unusedVariables(env, CONSULS, (name) => UNUSED_OF_CONSUL[name]);
  return unused && `${unused}; understood are ${understoodVariables(CONSULS).join(', ')}`;
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
  const named = unused.slice(0, MOST_NAMED).map((name) => {
    const shown = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
    const hint = hintOf(name);
    return hint === undefined ? shown : `${shown} (${hint})`;
  });
  const more = unused.length > MOST_NAMED ? ` and ${unused.length - MOST_NAMED} more` : '';
  return `no effect of ${named.join(', ')}${more}`;
}

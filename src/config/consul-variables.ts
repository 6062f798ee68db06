import { SETTINGS, type SettingName, variablesOf } from './schema.ts';

/** Of Consul's own client, and of no use here. */
const UNUSED: Readonly<Record<string, string>> = {
  CONSUL_GRPC_ADDR: 'heddle asks Consul by HTTP alone',
  CONSUL_GRPC_CACERT: 'heddle asks Consul by HTTP alone',
  CONSUL_GRPC_CAPATH: 'heddle asks Consul by HTTP alone',
};

/** The variables of Consul's client, and registrator's, that are settings here. */
export const understoodConsulVariables = (): readonly string[] =>
  (Object.keys(SETTINGS) as SettingName[]).flatMap(variablesOf).filter((name) => name.startsWith('CONSUL_'));

/**
 * One sentence about the variables in an environment that somebody set for Consul's client and that do nothing here;
 * undefined where there are none. Their values are not printed: they may be secrets.
 */
export function ignoredConsulVariables(
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const understood = new Set(understoodConsulVariables());
  const ignored = Object.keys(env)
    .filter((name) => /^CONSUL_[A-Z0-9_]+$/.test(name) && env[name] && !understood.has(name))
    .sort();
  if (ignored.length === 0) return undefined;
  const named = ignored.map((name) => (UNUSED[name] ? `${name} (${UNUSED[name]})` : name)).join(', ');
  return `no effect of ${named}; understood are ${[...understood].join(', ')}`;
}

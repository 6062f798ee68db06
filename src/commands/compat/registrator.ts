/** What a flag of registrator means here: a setting, or nothing and the reason. */
type Flag =
  | { readonly kind: 'switch'; readonly setting: string }
  | { readonly kind: 'value'; readonly setting: string }
  | { readonly kind: 'switch' | 'number'; readonly whyIgnored: string };

const NOT_CACHED = 'differences are written at once, and the registry is compared every minute';
const ALWAYS_CLEAN = 'stale services are always removed';
const NO_TTL = 'Consul services have no time to live; use a TTL check of the container: SERVICE_CHECK_TTL';
const FOR_EVER = 'Docker and Consul are retried without end';

/**
 * The command line of registrator, as it stands in unit files: flags with one dash or two, then a registry URI.
 * `docker run … heddle -internal consul://host:8500` keeps its meaning.
 */
const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ['internal', { kind: 'switch', setting: '--address=ethwe,bridge,internal' }],
  ['explicit', { kind: 'switch', setting: '--explicit' }],
  ['ip', { kind: 'value', setting: '--ip' }],
  ['tags', { kind: 'value', setting: '--tags' }],
  ['deregister', { kind: 'value', setting: '--deregister' }],
  ['useIpFromLabel', { kind: 'value', setting: '--use-ip-from-label' }],
  ['cleanup', { kind: 'switch', whyIgnored: ALWAYS_CLEAN }],
  ['resync', { kind: 'number', whyIgnored: NOT_CACHED }],
  ['ttl', { kind: 'number', whyIgnored: NO_TTL }],
  ['ttl-refresh', { kind: 'number', whyIgnored: NO_TTL }],
  ['retry-attempts', { kind: 'number', whyIgnored: FOR_EVER }],
  ['retry-interval', { kind: 'number', whyIgnored: FOR_EVER }],
]);

/** Names without dashes, for suggestions. */
export const REGISTRATOR_FLAGS: readonly string[] = [...FLAGS.keys()];

/** A command line in which registrator's flags are replaced by ours. */
export interface Translation {
  readonly argv: readonly string[];
  /** A sentence for each flag that has no effect. */
  readonly ignoredFlags: readonly string[];
  /** What is wrong with a flag, if anything. */
  readonly problem?: string;
}

export function translateRegistrator(given: readonly string[]): Translation {
  const argv: string[] = [];
  const ignoredFlags: string[] = [];
  for (let at = 0; at < given.length; at++) {
    const argument = given[at] as string;
    const [, name = '', written] = /^--?([a-zA-Z][a-zA-Z-]*)(?:=(.*))?$/s.exec(argument) ?? [];
    const flag = FLAGS.get(name);
    if (flag === undefined) {
      argv.push(argument);
      continue;
    }
    const value = flag.kind === 'switch' ? (written ?? 'true') : (written ?? given[++at]);
    if (value === undefined) return { argv, ignoredFlags, problem: `${argument}: expected a value after it` };
    if ('whyIgnored' in flag) ignoredFlags.push(`-${name} has no effect: ${flag.whyIgnored}`);
    if (flag.kind === 'number' && !/^-?\d+$/.test(value)) {
      return { argv, ignoredFlags, problem: `-${name}: '${value}' is not a whole number` };
    }
    if ('setting' in flag) argv.push(...settingOf(flag, value));
  }
  return { argv, ignoredFlags };
}

/** An empty value is registrator's default. */
function settingOf(flag: Flag & { readonly setting: string }, value: string): readonly string[] {
  if (flag.kind === 'value') return value === '' ? [] : [`${flag.setting}=${value}`];
  return /^(0|f|false)$/i.test(value) ? [] : [flag.setting];
}

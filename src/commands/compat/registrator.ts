/** What one of registrator's flags means here: a setting, or nothing any more, and then why. */
type Flag =
  | { readonly kind: 'switch'; readonly setting: string }
  | { readonly kind: 'value'; readonly setting: string }
  | { readonly kind: 'switch' | 'number'; readonly pointless: string };

const NOT_CACHED = 'differences are written at once, and the registry is compared every minute';
const ALWAYS_CLEAN = 'what is stale is always removed';
const NO_TTL =
  'Consul services have no time to live of their own; a check of a container can: SERVICE_CHECK_TTL';
const FOR_EVER = 'Docker and Consul are tried again for ever';

/**
 * registrator's command line, which its users have in their unit files: flags with one dash or two, then a registry
 * URI. `docker run … heddle -internal consul://host:8500` means what it meant.
 */
const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ['internal', { kind: 'switch', setting: '--address=ethwe,bridge,internal' }],
  ['explicit', { kind: 'switch', setting: '--explicit' }],
  ['ip', { kind: 'value', setting: '--ip' }],
  ['tags', { kind: 'value', setting: '--tags' }],
  ['deregister', { kind: 'value', setting: '--deregister' }],
  ['useIpFromLabel', { kind: 'value', setting: '--use-ip-from-label' }],
  ['cleanup', { kind: 'switch', pointless: ALWAYS_CLEAN }],
  ['resync', { kind: 'number', pointless: NOT_CACHED }],
  ['ttl', { kind: 'number', pointless: NO_TTL }],
  ['ttl-refresh', { kind: 'number', pointless: NO_TTL }],
  ['retry-attempts', { kind: 'number', pointless: FOR_EVER }],
  ['retry-interval', { kind: 'number', pointless: FOR_EVER }],
]);

/** Without dashes, for suggestions. */
export const REGISTRATOR_FLAGS: readonly string[] = [...FLAGS.keys()];

/** A command line with registrator's flags turned into ours. */
export interface Translation {
  readonly argv: readonly string[];
  /** A sentence for each flag that means nothing any more. */
  readonly pointless: readonly string[];
  /** What is wrong with one of them, if anything. */
  readonly problem?: string;
}

export function translateRegistrator(given: readonly string[]): Translation {
  const argv: string[] = [];
  const pointless: string[] = [];
  for (let at = 0; at < given.length; at++) {
    const argument = given[at] as string;
    const [, name = '', written] = /^--?([a-zA-Z][a-zA-Z-]*)(?:=(.*))?$/s.exec(argument) ?? [];
    const flag = FLAGS.get(name);
    if (flag === undefined) {
      argv.push(argument);
      continue;
    }
    const value = flag.kind === 'switch' ? (written ?? 'true') : (written ?? given[++at]);
    if (value === undefined) return { argv, pointless, problem: `${argument}: expected a value after it` };
    if ('pointless' in flag) pointless.push(`-${name} has no effect: ${flag.pointless}`);
    if (flag.kind === 'number' && !/^-?\d+$/.test(value)) {
      return { argv, pointless, problem: `-${name}: '${value}' is not a whole number` };
    }
    if ('setting' in flag) argv.push(...settingOf(flag, value));
  }
  return { argv, pointless };
}

/** An empty value was registrator's default. */
function settingOf(flag: Flag & { readonly setting: string }, value: string): readonly string[] {
  if (flag.kind === 'value') return value === '' ? [] : [`${flag.setting}=${value}`];
  return /^(0|f|false)$/i.test(value) ? [] : [flag.setting];
}

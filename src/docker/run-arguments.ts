/** The arguments of `docker run`, split where docker splits them. */
export interface DockerRun {
  /** Everything before the image, including values of options, in order. */
  readonly options: readonly string[];
  readonly image: string | undefined;
  /** What the container runs; its arguments are never parsed, even if they look like options. */
  readonly command: readonly string[];
}

/**
 * The options of `docker run` that take no value. All others take one, so a later docker's new options work as long as
 * they take a value.
 */
const BOOLEANS = new Set([
  'detach',
  'disable-content-trust',
  'help',
  'init',
  'interactive',
  'no-healthcheck',
  'oom-kill-disable',
  'privileged',
  'publish-all',
  'quiet',
  'read-only',
  'rm',
  'sig-proxy',
  'tty',
  'use-api-socket',
]);
const SHORT_BOOLEANS = new Set(['d', 'i', 'P', 'q', 't']);

/** One option on a `docker run` command line. */
export interface DockerOption {
  /** As written: `--name`, and both `-i` and `-t` for `-it`. Switches that are turned off are omitted. */
  readonly names: readonly string[];
  /** The value of the last name; undefined for switches, and if it is missing. */
  readonly value: string | undefined;
  /** How many arguments the option and its value take. */
  readonly length: number;
}

/** True for an argument that docker parses as an option. */
export const isOption = (argument: string): boolean =>
  argument.startsWith('-') && argument !== '-' && argument !== '--';

/** The option at this index of `docker run`'s arguments, with its value. */
export function optionAt(args: readonly string[], at: number): DockerOption {
  const { names, value, takesNextArgument } = readOption(args[at] as string);
  if (!takesNextArgument) return { names, value, length: 1 };
  const next = args[at + 1];
  return { names, value: next, length: next === undefined ? 1 : 2 };
}

/** The options among the arguments before the image. */
export function optionsIn(args: readonly string[]): readonly DockerOption[] {
  const options: DockerOption[] = [];
  for (let at = 0; at < args.length && isOption(args[at] as string); ) {
    const option = optionAt(args, at);
    options.push(option);
    at += option.length;
  }
  return options;
}

/**
 * Splits the arguments of `docker run` at the image name: the first argument that is neither an option nor an option's
 * value. Docker stops parsing options there, and at `--`.
 */
export function splitDockerRun(args: readonly string[]): DockerRun {
  let end = optionsIn(args).reduce((at, { length }) => at + length, 0);
  if (args[end] === '--') end += 1;
  return { options: args.slice(0, end), image: args[end], command: args.slice(end + 1) };
}

/** The names of the options before the image. */
export const optionNames = (options: readonly string[]): ReadonlySet<string> =>
  new Set(optionsIn(options).flatMap(({ names }) => names));

/** The values of an option before the image, under any of its names, in order. */
export const optionValues = (options: readonly string[], wanted: readonly string[]): readonly string[] =>
  optionsIn(options).flatMap(({ names, value }) =>
    value !== undefined && names.some((name) => wanted.includes(name)) ? [value] : [],
  );

interface ReadOption {
  readonly names: readonly string[];
  readonly value?: string;
  /** Whether its value is the next argument. */
  readonly takesNextArgument: boolean;
}

/** The values that docker parses as false. */
const FALSE = new Set(['0', 'f', 'F', 'false', 'False', 'FALSE']);

function readOption(argument: string): ReadOption {
  if (!argument.startsWith('--')) return readCluster(argument.slice(1));
  const equals = argument.indexOf('=');
  if (equals < 0) return { names: [argument], takesNextArgument: !BOOLEANS.has(argument.slice(2)) };
  const [name, value] = [argument.slice(0, equals), argument.slice(equals + 1)];
  if (!BOOLEANS.has(name.slice(2))) return { names: [name], value, takesNextArgument: false };
  return { names: FALSE.has(value) ? [] : [name], takesNextArgument: false };
}

/** `itd`, `eFOO=1`, `ite`: switches up to the first letter with a value; the value is the rest or the next argument. */
function readCluster(letters: string): ReadOption {
  const names: string[] = [];
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at] as string;
    const rest = letters.slice(at + 1);
    if (!SHORT_BOOLEANS.has(letter)) {
      const named = [...names, `-${letter}`];
      if (rest === '') return { names: named, takesNextArgument: true };
      return { names: named, value: rest.replace(/^=/, ''), takesNextArgument: false };
    }
    if (rest.startsWith('=')) {
      const off = FALSE.has(rest.slice(1));
      return { names: off ? names : [...names, `-${letter}`], takesNextArgument: false };
    }
    names.push(`-${letter}`);
  }
  return { names, takesNextArgument: false };
}

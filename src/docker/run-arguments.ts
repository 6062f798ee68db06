/** The words behind `docker run`, parted where docker parts them. */
export interface DockerRun {
  /** Everything before the image, values of options included, in order. */
  readonly options: readonly string[];
  readonly image: string | undefined;
  /** What the container runs; its words are none of ours, however much they look like options. */
  readonly command: readonly string[];
}

/**
 * The options of `docker run` that take no value. All others do, so options that docker invents later still pass
 * as long as they take one.
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

/** One option of `docker run` as it was given. */
export interface DockerOption {
  /** As they are spelled: `--name`, and both `-i` and `-t` for `-it`. Switches that are turned off are not among them. */
  readonly names: readonly string[];
  /** Of the last name; undefined for switches, and where it is missing. */
  readonly value: string | undefined;
  /** How many words it is. */
  readonly length: number;
}

/** True for a word that docker reads as an option where it expects one. */
export const isOption = (word: string): boolean => word.startsWith('-') && word !== '-' && word !== '--';

/** The option at this place of `docker run`'s arguments, with its value. */
export function optionAt(args: readonly string[], at: number): DockerOption {
  const { names, value, takesNextWord } = readOption(args[at] as string);
  if (!takesNextWord) return { names, value, length: 1 };
  const next = args[at + 1];
  return { names, value: next, length: next === undefined ? 1 : 2 };
}

/** The options among the words before the image. */
export function optionsIn(words: readonly string[]): readonly DockerOption[] {
  const options: DockerOption[] = [];
  for (let at = 0; at < words.length && isOption(words[at] as string); ) {
    const option = optionAt(words, at);
    options.push(option);
    at += option.length;
  }
  return options;
}

/**
 * Parts the arguments of `docker run` at the image name: the first word that is neither an option nor the value of
 * one. Docker stops reading options there, and at `--`.
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
  /** Whether its value is the word behind it. */
  readonly takesNextWord: boolean;
}

/** What docker takes for false. */
const FALSE = new Set(['0', 'f', 'F', 'false', 'False', 'FALSE']);

function readOption(word: string): ReadOption {
  if (!word.startsWith('--')) return readCluster(word.slice(1));
  const equals = word.indexOf('=');
  if (equals < 0) return { names: [word], takesNextWord: !BOOLEANS.has(word.slice(2)) };
  const [name, value] = [word.slice(0, equals), word.slice(equals + 1)];
  if (!BOOLEANS.has(name.slice(2))) return { names: [name], value, takesNextWord: false };
  return { names: FALSE.has(value) ? [] : [name], takesNextWord: false };
}

/** `itd`, `eFOO=1`, `ite`: switches up to the first letter that takes a value, which is the rest or the next word. */
function readCluster(letters: string): ReadOption {
  const names: string[] = [];
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at] as string;
    const rest = letters.slice(at + 1);
    if (!SHORT_BOOLEANS.has(letter)) {
      const named = [...names, `-${letter}`];
      if (rest === '') return { names: named, takesNextWord: true };
      return { names: named, value: rest.replace(/^=/, ''), takesNextWord: false };
    }
    if (rest.startsWith('=')) {
      const off = FALSE.has(rest.slice(1));
      return { names: off ? names : [...names, `-${letter}`], takesNextWord: false };
    }
    names.push(`-${letter}`);
  }
  return { names, takesNextWord: false };
}

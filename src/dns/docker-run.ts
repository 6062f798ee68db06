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

/**
 * Parts the arguments of `docker run` at the image name: the first word that is neither an option nor the value of
 * one. Docker stops reading options there, and at `--`.
 */
export function splitDockerRun(args: readonly string[]): DockerRun {
  let at = 0;
  while (at < args.length) {
    const word = args[at] as string;
    if (!word.startsWith('-') || word === '-') break;
    at += 1;
    if (word === '--') break;
    if (readOption(word).takesNextWord) at += 1;
  }
  // A value may be missing at the end; docker says so itself.
  const end = Math.min(at, args.length);
  return { options: args.slice(0, end), image: args[end], command: args.slice(end + 1) };
}

/**
 * The names of the options before the image, as they are spelled: `--name`, `-d`, and both `-i` and `-t` for `-it`.
 * Switches that are turned off (`--rm=false`) are not among them.
 */
export function optionNames(options: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (let at = 0; at < options.length && options[at] !== '--'; at += 1) {
    const option = readOption(options[at] as string);
    for (const name of option.names) names.add(name);
    if (option.takesNextWord) at += 1;
  }
  return names;
}

interface DockerOption {
  readonly names: readonly string[];
  /** Whether its value is the word behind it. */
  readonly takesNextWord: boolean;
}

/** What docker takes for false. */
const FALSE = new Set(['0', 'f', 'F', 'false', 'False', 'FALSE']);

function readOption(word: string): DockerOption {
  if (!word.startsWith('--')) return readCluster(word.slice(1));
  const equals = word.indexOf('=');
  if (equals < 0) return { names: [word], takesNextWord: !BOOLEANS.has(word.slice(2)) };
  const name = word.slice(0, equals);
  const off = BOOLEANS.has(name.slice(2)) && FALSE.has(word.slice(equals + 1));
  return { names: off ? [] : [name], takesNextWord: false };
}

/** `itd`, `eFOO=1`, `ite`: switches up to the first letter that takes a value, which is the rest or the next word. */
function readCluster(letters: string): DockerOption {
  const names: string[] = [];
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at] as string;
    const rest = letters.slice(at + 1);
    if (!SHORT_BOOLEANS.has(letter)) return { names: [...names, `-${letter}`], takesNextWord: rest === '' };
    if (rest.startsWith('=')) {
      const off = FALSE.has(rest.slice(1));
      return { names: off ? names : [...names, `-${letter}`], takesNextWord: false };
    }
    names.push(`-${letter}`);
  }
  return { names, takesNextWord: false };
}

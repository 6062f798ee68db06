import { nearest } from '../../runtime/nearest.ts';
import { REGISTRATOR_FLAGS } from '../compat/registrator.ts';

const LOG = "read the daemon's log with docker logs heddle, or journalctl -u heddle";

/** What users of other tools type, and the command for it here. */
const COMMANDS: Readonly<Record<string, string>> = {
  logs: LOG,
  log: LOG,
  watch: `watch heddle status repeats a command; ${LOG}`,
  events: LOG,
  list: 'heddle ps lists the containers',
  ls: 'heddle ps lists the containers',
  inspect: 'heddle ps --format json CONTAINER shows all of it',
  info: 'heddle status shows the state of every part',
  dns: 'heddle status dns shows the resolver, heddle dns-lookup NAME asks it',
  lookup: 'heddle dns-lookup NAME asks the resolver',
  resolve: 'heddle dns-lookup NAME asks the resolver',
  dig: 'heddle dns-lookup NAME asks the resolver',
  health: 'heddle healthcheck checks that the daemon works',
  up: 'heddle launch starts the daemon as a container, heddle daemon in this process',
  down: "heddle stop stops the daemon's container",
  exec: "containers are docker's: docker exec",
  rm: "containers are docker's: docker rm",
  kill: "containers are docker's: docker kill",
  pause: "containers are docker's: docker pause",
  create: 'docker create --label heddle.cidr=net:default, and heddle start',
};

const JSON_FORMAT = 'use --format json';
const REPEATED: ReadonlySet<string> = new Set([
  'ps',
  'status',
  'services',
  'explain',
  'report',
  'dns-lookup',
  'doctor',
]);

/** The same for flags; the hint may depend on the command. */
const FLAGS: Readonly<Record<string, (command: string) => string | undefined>> = {
  '--json': () => JSON_FORMAT,
  '-j': () => JSON_FORMAT,
  '-o': () => JSON_FORMAT,
  '--output': () => JSON_FORMAT,
  '--no-trunc': () => `${JSON_FORMAT}, which shortens nothing`,
  '-a': all,
  '--all': all,
  '-q': (command) => (command === 'ps' ? 'docker ps --quiet prints ids alone' : undefined),
  '--quiet': (command) => (command === 'ps' ? 'docker ps --quiet prints ids alone' : undefined),
  '-w': repeat,
  '--watch': repeat,
  '-f': repeat,
  '--follow': repeat,
  '-v': verbose,
  '--verbose': verbose,
  '--debug': verbose,
  '-d': background,
  '--detach': background,
  '-h': () => 'use --help',
  '--local': () => '--local comes before another command, to run it without a daemon',
  '--trace': () => '--trace comes before a command other than daemon',
  '-?': () => 'use --help',
};

function all(command: string): string | undefined {
  if (command !== 'ps' && command !== 'services') return undefined;
  return `${command} lists running containers; docker ps --all lists stopped containers as well`;
}

function repeat(command: string): string | undefined {
  if (command === 'reset') return 'use --force';
  return REPEATED.has(command) ? `no command repeats itself: watch heddle ${command}` : undefined;
}

function verbose(command: string): string {
  return command === 'daemon' || command === 'launch'
    ? 'use --log-level debug'
    : 'put --trace before the command';
}

function background(command: string): string | undefined {
  return command === 'daemon' ? 'heddle launch, or a systemd unit, runs it in the background' : undefined;
}

/** The last part of the message about an unknown command. */
export function commandHint(given: string, known: readonly string[]): string {
  const hint = Object.hasOwn(COMMANDS, given) ? COMMANDS[given] : undefined;
  if (hint !== undefined) return `: ${hint}`;
  const meant = nearest(given, known);
  return meant === undefined ? '; see heddle --help' : ` (did you mean '${meant}'?)`;
}

/** The last part of the message about an unknown flag of a command. */
export function flagHint(command: string, given: string, known: readonly string[]): string {
  const flag = given.replace(/=.*$/s, '');
  const hint = Object.hasOwn(FLAGS, flag) ? FLAGS[flag]?.(command) : undefined;
  if (hint !== undefined) return `: ${hint}`;
  const registrators = command === 'daemon' || command === 'launch' ? REGISTRATOR_FLAGS : [];
  const meant =
    flag.length > 2 ? nearest(flag.replace(/^-+/, ''), [...known.map(bare), ...registrators]) : undefined;
  if (meant === undefined) return `; see heddle ${command} --help`;
  const spelled = known.some((name) => bare(name) === meant) ? `--${meant}` : `-${meant}`;
  return ` (did you mean '${spelled}'?)`;
}

const bare = (flag: string): string => flag.replace(/^-+/, '');

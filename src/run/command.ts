import { SETTINGS } from '../config/schema.ts';
import { containerName } from '../docker/container-name.ts';
import { isOption, optionAt, optionValues } from '../docker/run-arguments.ts';
import { HeddleError } from '../errors.ts';
import { type AddressRequest, looksLikeRequest, parseRequest } from '../ipam/request.ts';
import { nearest } from '../runtime/nearest.ts';

export interface ParsedRun {
  readonly withDns: boolean;
  /** The addresses among the arguments. If empty, docker's options decide, else any free address is used. */
  readonly requests: readonly AddressRequest[];
  /** The flags for `attach`, unchanged. */
  readonly attachFlags: readonly string[];
  /** The options for `docker run` before the image, unchanged. */
  readonly dockerOptions: readonly string[];
  /** The rest for `docker run`, unchanged: `--` if given, the image, and its command. */
  readonly imageAndCommand: readonly string[];
  readonly json: boolean;
}

/** The one flag of `attach` that also applies to the check before the start. */
export const ALLOW_OVERLAP = '--allow-overlap';
/** Flags of `attach` that `run` accepts too. */
const ATTACH_FLAGS: ReadonlySet<string> = new Set([
  ALLOW_OVERLAP,
  '--no-multicast-route',
  '--rewrite-hosts',
  '--no-rewrite-hosts',
]);
const OWN_FLAGS = [...ATTACH_FLAGS, '--with-dns', '--without-dns', '--format'];

/** Names of heddle's global flags that `docker run` uses too, with its own meaning. */
const SHARED_WITH_DOCKER: ReadonlySet<string> = new Set(['--ip', '--dns-search', '--no-healthcheck']);
/** Heddle's flags that stand before `run`. */
const GLOBAL_FLAGS: ReadonlySet<string> = new Set(
  ['--local', '--trace', '--config', ...Object.values(SETTINGS).map(({ flag }) => `--${flag}`)].filter(
    (flag) => !SHARED_WITH_DOCKER.has(flag),
  ),
);

/**
 * Separates heddle's arguments of `run` from docker's. Heddle's may stand anywhere before the image, also between
 * docker's options, because no image has a name like an address. Everything after the image is the container's command.
 * @throws HeddleError `bad-input`, before anything starts
 */
export function parseRun(args: readonly string[]): ParsedRun {
  const requests: AddressRequest[] = [];
  const attachFlags: string[] = [];
  const dockerOptions: string[] = [];
  const separator: string[] = [];
  let format = 'text';
  let withDns = false;
  let endsWithValue = false;
  let at = 0;
  for (; at < args.length; ) {
    const argument = args[at] as string;
    if (looksLikeRequest(argument)) requests.push(parseRequest(argument));
    else if (argument === '--' && separator.length === 0) separator.push(argument);
    else if (separator.length > 0 || !isOption(argument)) break;
    else if (ATTACH_FLAGS.has(argument)) attachFlags.push(argument);
    else if (argument === '--with-dns' || argument === '--without-dns') withDns = argument === '--with-dns';
    else if (argument === '--format') format = args[++at] ?? '';
    else if (argument.startsWith('--format=')) format = argument.slice('--format='.length);
    else {
      refuseMisplaced(argument);
      const { length } = optionAt(args, at);
      dockerOptions.push(...args.slice(at, at + length));
      at += length - 1;
      endsWithValue = length > 1;
    }
    at += 1;
  }
  if (format !== 'text' && format !== 'json') {
    throw new HeddleError('bad-input', `--format: '${format}' is not one of text, json`);
  }
  const image = args[at] ?? '';
  // An unknown option at the end may have taken the image as its value. docker reports such an option itself.
  if (at >= args.length && !endsWithValue) {
    throw new HeddleError(
      'bad-input',
      'run needs an image, with any options of docker run before it: run 10.2.1.1/16 -e SERVICE_NAME=web nginx',
    );
  }
  for (const name of optionValues(dockerOptions, ['--name'])) containerName(name);
  if (image.startsWith('net:') && nearest(image, ['net:default'])) {
    throw new HeddleError('bad-input', `'${image}' is no address (did you mean 'net:default'?)`);
  }
  return {
    withDns,
    requests,
    attachFlags,
    dockerOptions,
    imageAndCommand: [...separator, ...args.slice(at)],
    json: format === 'json',
  };
}

/** In the foreground, `docker run` returns when the container has ended, too late to attach it. */
const FOREGROUND = /^(--detach|-d)=(0|f|false)$/i;

/** Rejects flags that docker would report without useful advice. @throws HeddleError `bad-input` */
function refuseMisplaced(argument: string): void {
  const flag = argument.replace(/=.*$/s, '');
  if (flag === '--help') {
    throw new HeddleError(
      'bad-input',
      '--help must be the only argument: heddle run --help, or docker run --help',
    );
  }
  if (FOREGROUND.test(argument)) {
    throw new HeddleError('bad-input', `${argument}: run only starts containers in the background`);
  }
  if (GLOBAL_FLAGS.has(flag)) {
    throw new HeddleError('bad-input', `${flag} must come before the command: heddle ${flag} … run …`);
  }
  const similar = flag.startsWith('--') ? nearest(flag, OWN_FLAGS) : undefined;
  if (similar === undefined) return;
  const why =
    similar === flag ? `${flag} takes no value` : `unknown option '${flag}' (did you mean '${similar}'?)`;
  throw new HeddleError('bad-input', why);
}

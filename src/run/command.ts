import { SETTINGS } from '../config/schema.ts';
import { containerName } from '../docker/container-name.ts';
import { isOption, optionAt, optionValues } from '../docker/run-arguments.ts';
import { HeddleError } from '../errors.ts';
import { type AddressRequest, looksLikeRequest, parseRequest } from '../ipam/request.ts';
import { nearest } from '../runtime/nearest.ts';

export interface ParsedRun {
  readonly withDns: boolean;
  /** Those among the arguments; none: what docker's options ask for, else any free one. */
  readonly requests: readonly AddressRequest[];
  /** For `attach`, as they were given. */
  readonly attachFlags: readonly string[];
  /** For `docker run`, untouched, up to the image. */
  readonly dockerOptions: readonly string[];
  /** For `docker run`, untouched: the image, what it runs, and the `--` before it. */
  readonly imageAndCommand: readonly string[];
  readonly json: boolean;
}

/** Also of what is asked before anything is started. */
export const ALLOW_OVERLAP = '--allow-overlap';
/** Flags of `attach` that `run` takes as well. */
const ATTACH_FLAGS: ReadonlySet<string> = new Set([
  ALLOW_OVERLAP,
  '--no-multicast-route',
  '--rewrite-hosts',
  '--no-rewrite-hosts',
]);
const OWN_FLAGS = [...ATTACH_FLAGS, '--with-dns', '--without-dns', '--format'];

/** Heddle's flags that stand before `run`. Docker has some of the same names for what it does with a container. */
const SHARED_WITH_DOCKER: ReadonlySet<string> = new Set(['--ip', '--dns-search', '--no-healthcheck']);
const GLOBAL_FLAGS: ReadonlySet<string> = new Set(
  ['--local', '--trace', '--config', ...Object.values(SETTINGS).map(({ flag }) => `--${flag}`)].filter(
    (flag) => !SHARED_WITH_DOCKER.has(flag),
  ),
);

/**
 * Which arguments of `run` are ours and which docker's. Ours may stand anywhere before the image, between docker's
 * options as well: no image is called like an address. What stands behind the image is the container's command.
 * @throws HeddleError `bad-input`, before anything is started
 */
export function parseRun(given: readonly string[]): ParsedRun {
  const requests: AddressRequest[] = [];
  const attachFlags: string[] = [];
  const dockerOptions: string[] = [];
  const closed: string[] = [];
  let format = 'text';
  let withDns = false;
  let endsWithValue = false;
  let at = 0;
  for (; at < given.length; ) {
    const word = given[at] as string;
    if (looksLikeRequest(word)) requests.push(parseRequest(word));
    else if (word === '--' && closed.length === 0) closed.push(word);
    else if (closed.length > 0 || !isOption(word)) break;
    else if (ATTACH_FLAGS.has(word)) attachFlags.push(word);
    else if (word === '--with-dns' || word === '--without-dns') withDns = word === '--with-dns';
    else if (word === '--format') format = given[++at] ?? '';
    else if (word.startsWith('--format=')) format = word.slice('--format='.length);
    else {
      refuseMisplaced(word);
      const { length } = optionAt(given, at);
      dockerOptions.push(...given.slice(at, at + length));
      at += length - 1;
      endsWithValue = length > 1;
    }
    at += 1;
  }
  if (format !== 'text' && format !== 'json') {
    throw new HeddleError('bad-input', `--format: '${format}' is not one of text, json`);
  }
  const image = given[at] ?? '';
  // The last option may be one that docker does not know, which took the image for its value: docker says so.
  if (at >= given.length && !endsWithValue) {
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
    imageAndCommand: [...closed, ...given.slice(at)],
    json: format === 'json',
  };
}

/** What docker would run in the foreground has no container to attach by the time that it ends. */
const FOREGROUND = /^(--detach|-d)=(0|f|false)$/i;

/** Docker knows none of these, and says so in words that help nobody. @throws HeddleError `bad-input` */
function refuseMisplaced(word: string): void {
  const flag = word.replace(/=.*$/s, '');
  if (flag === '--help') {
    throw new HeddleError('bad-input', '--help stands alone: heddle run --help, or docker run --help');
  }
  if (FOREGROUND.test(word)) {
    throw new HeddleError('bad-input', `${word}: run starts containers in the background alone`);
  }
  if (GLOBAL_FLAGS.has(flag)) {
    throw new HeddleError('bad-input', `${flag} stands before the command: heddle ${flag} … run …`);
  }
  const meant = flag.startsWith('--') ? nearest(flag, OWN_FLAGS) : undefined;
  if (meant === undefined) return;
  const why =
    meant === flag ? `${flag} takes no value` : `unknown option '${flag}' (did you mean '${meant}'?)`;
  throw new HeddleError('bad-input', why);
}

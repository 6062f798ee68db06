import { HeddleError } from '../errors.ts';
import { type AddressRequest, ANY_ADDRESS, looksLikeRequest, parseRequest } from '../ipam/request.ts';

export interface RunCommand {
  readonly withDns: boolean;
  /** At least one: without any address among the words, whichever is free. */
  readonly requests: readonly AddressRequest[];
  /** For `attach`, as they were given. */
  readonly attachFlags: readonly string[];
  /** For `docker run`, untouched. */
  readonly dockerArgs: readonly string[];
  readonly json: boolean;
}

/** Flags of `attach` that `run` takes as well. */
const FOR_ATTACH: ReadonlySet<string> = new Set([
  '--no-multicast-route',
  '--rewrite-hosts',
  '--no-rewrite-hosts',
]);

/**
 * Which words of `run` are ours and which docker's: ours come first, the address words and flags in any order. An
 * `--add-host` among them, where the `weave` script had it, is docker's.
 * @throws HeddleError `bad-input`, before anything is started
 */
export function parseRun(words: readonly string[]): RunCommand {
  const requests: AddressRequest[] = [];
  const attachFlags: string[] = [];
  const hosts: string[] = [];
  let format = 'text';
  let withDns = false;
  let at = 0;
  const value = (word: string): string =>
    word.includes('=') ? word.replace(/^[^=]*=/, '') : (words[at++] ?? '');
  for (; at < words.length; ) {
    const word = words[at++] as string;
    if (word === '--with-dns' || word === '--without-dns') withDns = word === '--with-dns';
    else if (/^--add-host(=|$)/.test(word)) hosts.push(`--add-host=${value(word)}`);
    else if (/^--format(=|$)/.test(word)) format = value(word);
    else if (FOR_ATTACH.has(word)) attachFlags.push(word);
    else if (looksLikeRequest(word)) requests.push(parseRequest(word));
    else {
      at--;
      break;
    }
  }
  if (format !== 'text' && format !== 'json') {
    throw new HeddleError('bad-input', `--format: '${format}' is not one of text, json`);
  }
  const dockerArgs = words.slice(at);
  if (dockerArgs.length === 0) {
    throw new HeddleError(
      'bad-input',
      'run needs an image, with any options of docker run before it: run 10.2.1.1/16 -e SERVICE_NAME=web nginx',
    );
  }
  return {
    withDns,
    requests: requests.length > 0 ? requests : [ANY_ADDRESS],
    attachFlags,
    dockerArgs: [...hosts, ...dockerArgs],
    json: format === 'json',
  };
}

import { HeddleError } from '../errors.ts';
import { looksLikeAddress, parseAssignable } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

export interface RunCommand {
  readonly withDns: boolean;
  readonly cidrs: readonly Cidr[];
  /** For `docker run`, untouched. */
  readonly dockerArgs: readonly string[];
}

/**
 * Which words of `run` are ours and which docker's: ours come first, the address words and --with-dns in any order.
 * @throws HeddleError `bad-input` before anything is started
 */
export function parseRun(words: readonly string[]): RunCommand {
  const cidrs: Cidr[] = [];
  let withDns = false;
  let taken = 0;
  for (const word of words) {
    if (word === '--with-dns' || word === '--without-dns') withDns = word === '--with-dns';
    else if (looksLikeAddress(word)) cidrs.push(parseAssignable(word));
    else break;
    taken++;
  }
  if (cidrs.length === 0) {
    throw new HeddleError(
      'bad-input',
      'run needs at least one address before the docker arguments: run 10.2.1.1/16 -e SERVICE_NAME=web nginx',
    );
  }
  const dockerArgs = words.slice(taken);
  if (dockerArgs.length === 0) {
    throw new HeddleError(
      'bad-input',
      'run needs an image after the addresses, with any options of docker run before it',
    );
  }
  return { withDns, cidrs, dockerArgs };
}

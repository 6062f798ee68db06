import { HeddleError } from '../errors.ts';
import { type AddressRequest, ANY_ADDRESS, looksLikeRequest, parseRequest } from '../ipam/request.ts';

export interface RunCommand {
  readonly withDns: boolean;
  /** At least one: without any address among the words, whichever is free. */
  readonly requests: readonly AddressRequest[];
  /** For `docker run`, untouched. */
  readonly dockerArgs: readonly string[];
}

/**
 * Which words of `run` are ours and which docker's: ours come first, the address words and --with-dns in any order.
 * @throws HeddleError `bad-input` before anything is started
 */
export function parseRun(words: readonly string[]): RunCommand {
  const requests: AddressRequest[] = [];
  let withDns = false;
  let taken = 0;
  for (const word of words) {
    if (word === '--with-dns' || word === '--without-dns') withDns = word === '--with-dns';
    else if (looksLikeRequest(word)) requests.push(parseRequest(word));
    else break;
    taken++;
  }
  const dockerArgs = words.slice(taken);
  if (dockerArgs.length === 0) {
    throw new HeddleError(
      'bad-input',
      'run needs an image, with any options of docker run before it: run 10.2.1.1/16 -e SERVICE_NAME=web nginx',
    );
  }
  return { withDns, requests: requests.length > 0 ? requests : [ANY_ADDRESS], dockerArgs };
}

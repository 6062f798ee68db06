import { containerName } from '../docker/container-name.ts';
import { HeddleError } from '../errors.ts';
import { type AddressRequest, ANY_ADDRESS, looksLikeRequest, parseRequest } from '../ipam/request.ts';

/** For `--help`. */
export const ADDRESS_WORDS = '10.2.1.1/16, net:10.32.5.0/24, net:default; without any a free one';

/**
 * Addresses, or any free one where there is none among the words.
 * @throws HeddleError `bad-input`
 */
export const requestsIn = (words: readonly string[]): readonly AddressRequest[] =>
  words.length > 0 ? words.map(parseRequest) : [ANY_ADDRESS];

/**
 * The words of `attach` and `detach`: addresses, then one container.
 * @throws HeddleError `bad-input`
 */
export function addressesAndContainer(words: readonly string[]): {
  requests: readonly AddressRequest[];
  container: string;
} {
  const container = words.at(-1);
  if (container === undefined) {
    throw new HeddleError('bad-input', 'expected addresses and a container: 10.2.1.1/16 web');
  }
  if (looksLikeRequest(container)) {
    throw new HeddleError(
      'bad-input',
      `expected a container after the addresses, and '${container}' is one more address`,
    );
  }
  return { requests: requestsIn(words.slice(0, -1)), container: containerName(container) };
}

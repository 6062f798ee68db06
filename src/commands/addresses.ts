import { HeddleError } from '../errors.ts';
import { looksLikeAddress, parseAssignable } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/**
 * The words of `attach` and `detach`: at least one address, then one container.
 * @throws HeddleError `bad-input`
 */
export function addressesAndContainer(words: readonly string[]): {
  cidrs: readonly Cidr[];
  container: string;
} {
  const container = words.at(-1);
  if (container === undefined || words.length < 2) {
    throw new HeddleError('bad-input', 'expected at least one address and a container: 10.2.1.1/16 web');
  }
  if (looksLikeAddress(container)) {
    throw new HeddleError(
      'bad-input',
      `expected a container after the addresses, and '${container}' is one more address`,
    );
  }
  return { cidrs: words.slice(0, -1).map(parseAssignable), container };
}

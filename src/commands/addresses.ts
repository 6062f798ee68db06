import { HeddleError } from '../errors.ts';
import { parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/**
 * True for a word that is meant as an address, right or wrong: `10.2.1.1/16`, `10.2.1.1`, `10.2.0.300/16`. An image
 * on a registry without a name, `10.0.0.5:5000/web`, is none.
 */
export const looksLikeAddress = (word: string): boolean =>
  /^[0-9]+(\.[0-9]+){1,}(\/[0-9]*)?$/.test(word) ||
  /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*(\/[0-9]*)?$/i.test(word);

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
  return { cidrs: words.slice(0, -1).map(parseCidr), container };
}

import { Argument, type Command } from 'commander';
import { containerName } from '../../docker/container-name.ts';
import { HeddleError } from '../../errors.ts';
import { type AddressRequest, ANY_ADDRESS, looksLikeRequest, parseRequest } from '../../ipam/request.ts';

/** For `--help`. */
export const ADDRESS_FORMS = '10.2.1.1/16, net:10.32.5.0/24, net:default; without any a free one';

/** For `--help`. */
export const ALLOW_OVERLAP =
  'also in a network that the host or the container reaches otherwise, and cut that off';

/** Describes `[address...] <container>`, which commander cannot parse: the container stands last. */
export function takesAddressesAndContainer(command: Command, otherwise = ''): Command {
  const shown = [
    new Argument('[address...]', `${ADDRESS_FORMS}${otherwise}`),
    new Argument('<container>', 'its name, or its id'),
  ];
  return command
    .argument('[arguments...]')
    .usage('[options] [address...] <container>')
    .configureHelp({ visibleArguments: () => shown });
}

/**
 * Addresses, or any free one where there is none.
 * @param command for messages: `expose`
 * @throws HeddleError `bad-input`
 */
export function requestsIn(words: readonly string[], command: string): readonly AddressRequest[] {
  const name = words.find(meansContainer);
  if (name !== undefined) {
    const order = command === 'expose' ? `; a name is given by -h: expose 10.2.0.1/16 -h ${name}` : '';
    throw new HeddleError('bad-input', `'${name}' is no address; expected ${ADDRESS_FORMS}${order}`);
  }
  return words.length > 0 ? words.map(parseRequest) : [ANY_ADDRESS];
}

/**
 * The arguments of `attach`, `detach` and `start`: addresses, then one container.
 * @throws HeddleError `bad-input`
 */
export function addressesAndContainer(
  words: readonly string[],
  command: string,
): { readonly requests: readonly AddressRequest[]; readonly container: string } {
  const containers = words.filter(meansContainer);
  const [container, ...more] = containers;
  const addresses = words.filter((word) => !meansContainer(word));
  const last = words.at(-1);
  if (container === undefined || last === undefined) {
    const what = last === undefined ? '' : `, and '${last}' is one more address`;
    throw new HeddleError(
      'bad-input',
      `${command}: expected a container after the addresses${what}: ${command} 10.2.1.1/16 web`,
    );
  }
  if (more.length > 0) {
    const names = containers.map((name) => `'${name}'`).join(', ');
    throw new HeddleError('bad-input', `${command}: expected one container, and got ${names}`);
  }
  if (container !== last) {
    const order = [command, ...addresses, container].join(' ');
    throw new HeddleError('bad-input', `${command}: the container stands last: ${order}`);
  }
  const requests = addresses.length > 0 ? addresses.map(parseRequest) : [ANY_ADDRESS];
  return { requests, container: containerName(container) };
}

/** What is meant as a container: an address has a slash within, or one of weave's prefixes. */
const meansContainer = (word: string): boolean =>
  !looksLikeRequest(word) && !/^(ip|net):/.test(word) && !/^[^/]+\//.test(word);

import { Argument, type Command } from 'commander';
import { containerName } from '../../docker/container-name.ts';
import { HeddleError } from '../../errors.ts';
import { type AddressRequest, ANY_ADDRESS, looksLikeRequest, parseRequest } from '../../ipam/request.ts';

/** For `--help`. */
export const ADDRESS_FORMS = '10.2.1.1/16, net:10.32.5.0/24, net:default; without any, a free address';

/** For `--help`. */
export const ALLOW_OVERLAP =
  'allow an address in a network that the host or the container reaches another way, and cut off that way';

/** Describes `[address...] <container>`, which commander cannot parse because the container is last. */
export function takesAddressesAndContainer(command: Command, whenOmitted = ''): Command {
  const shown = [
    new Argument('[address...]', `${ADDRESS_FORMS}${whenOmitted}`),
    new Argument('<container>', 'its name or id'),
  ];
  return command
    .argument('[arguments...]')
    .usage('[options] [address...] <container>')
    .configureHelp({ visibleArguments: () => shown });
}

/**
 * Parses addresses. Without arguments, requests any free address.
 * @param command the name of the command, for messages
 * @throws HeddleError `bad-input`
 */
export function requestsIn(args: readonly string[], command: string): readonly AddressRequest[] {
  const name = args.find(isContainerArgument);
  if (name !== undefined) {
    const order = command === 'expose' ? `; give a name with -h: expose 10.2.0.1/16 -h ${name}` : '';
    throw new HeddleError('bad-input', `'${name}' is not an address; expected ${ADDRESS_FORMS}${order}`);
  }
  return args.length > 0 ? args.map(parseRequest) : [ANY_ADDRESS];
}

/**
 * Parses the arguments of `attach`, `detach` and `start`: addresses, then one container.
 * @throws HeddleError `bad-input`
 */
export function addressesAndContainer(
  args: readonly string[],
  command: string,
): { readonly requests: readonly AddressRequest[]; readonly container: string } {
  const containers = args.filter(isContainerArgument);
  const [container, ...more] = containers;
  const addresses = args.filter((arg) => !isContainerArgument(arg));
  const last = args.at(-1);
  if (container === undefined || last === undefined) {
    const what = last === undefined ? '' : `, but '${last}' is an address`;
    throw new HeddleError(
      'bad-input',
      `${command}: expected a container after the addresses${what}: ${command} 10.2.1.1/16 web`,
    );
  }
  if (more.length > 0) {
    const names = containers.map((name) => `'${name}'`).join(', ');
    throw new HeddleError('bad-input', `${command}: expected one container; got ${names}`);
  }
  if (container !== last) {
    const order = [command, ...addresses, container].join(' ');
    throw new HeddleError('bad-input', `${command}: the container comes last: ${order}`);
  }
  const requests = addresses.length > 0 ? addresses.map(parseRequest) : [ANY_ADDRESS];
  return { requests, container: containerName(container) };
}

/** An address has a slash inside, or one of weave's prefixes. Anything else names a container. */
const isContainerArgument = (arg: string): boolean =>
  !looksLikeRequest(arg) && !/^(ip|net):/.test(arg) && !/^[^/]+\//.test(arg);

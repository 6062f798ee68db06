import { isIP } from 'node:net';
import { Argument, type Command } from 'commander';
import ipaddr from 'ipaddr.js';
import type { NameRequest } from '../../dns/names/weave-names.ts';
import { containerName } from '../../docker/container-name.ts';
import { HeddleError } from '../../errors.ts';
import { looksLikeRequest } from '../../ipam/request.ts';
import { printable } from '../../runtime/printable.ts';
import type { CommandArguments, HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

const NAMED = [
  new Argument('[ip...]', 'addresses without prefix length; without any, the addresses of the container'),
  new Argument('[container]', 'its name or id; without one, the name belongs to the addresses'),
];

/** `dns-add` and `dns-remove` take the same arguments. */
function describe(command: Command, summary: string, none: string): void {
  command
    .summary(summary)
    // commander cannot parse this: the last argument may also be an address.
    .argument('[arguments...]')
    .usage('[options] [ip...] [container]')
    .configureHelp({ visibleArguments: () => NAMED })
    // In the weave script, -h is the name.
    .helpOption('--help', 'show this')
    .option('-h, --name <name>', `the name, with or without the domain of container names (${none})`)
    .addOption(formatOption());
}

export const dnsAdd: HostCommand = {
  name: 'dns-add',
  examples: ['dns-add web -h front', 'dns-add 10.9.9.9 -h printer'],
  describe: (command) =>
    describe(command, 'give a name to a container or to addresses', "the container's own"),
  check: (request) => void nameRequest(request),
  async run(host, request, io) {
    const named = nameRequest(request);
    await host.addName(named);
    printResult(io, request.options, '', named);
    return 0;
  },
};

export const dnsRemove: HostCommand = {
  name: 'dns-remove',
  examples: ['dns-remove web -h front', 'dns-remove 10.9.9.9 -h printer'],
  describe: (command) => describe(command, 'remove a name that dns-add gave', 'all names of the container'),
  check: (request) => void nameRequest(request),
  async run(host, request, io) {
    const named = nameRequest(request);
    await host.removeName(named);
    printResult(io, request.options, '', named);
    return 0;
  },
};

export const dnsLookup: HostCommand = {
  name: 'dns-lookup',
  examples: ['dns-lookup web', 'dns-lookup 10.2.1.1'],
  describe: (command) =>
    void command
      .summary('print the addresses of a name, or the name of an address')
      .argument('<name>', 'as a container would ask for it: web, web.weave.local, 10.2.1.1')
      .addOption(formatOption()),
  async run(host, request, io) {
    const [name = ''] = request.args;
    const found = await host.lookUp(name);
    if (found.length === 0) throw new HeddleError('not-found', `no answer for ${name}`);
    printResult(io, request.options, found.map((line) => `${printable(line)}\n`).join(''), {
      name,
      answers: found,
    });
    return 0;
  },
};

/**
 * Parses addresses, then at most one container. Needs a container, or addresses and a name.
 * @throws HeddleError `bad-input`
 */
export function nameRequest({ args, options }: CommandArguments): NameRequest {
  const name = options.name as string | undefined;
  const [container, ...more] = args.filter((arg) => !isIP(arg));
  const ips = args.filter(isIP).map((ip) => ipaddr.process(ip).toString());
  const notIp = [container, ...more].find((arg) => arg !== undefined && looksLikeRequest(arg));
  if (notIp !== undefined) {
    throw new HeddleError(
      'bad-input',
      `'${notIp}' is not an IP address; expected addresses without a prefix length, then one container`,
    );
  }
  if (more.length > 0) {
    const names = [container, ...more].map((name) => `'${name}'`).join(', ');
    throw new HeddleError('bad-input', `expected addresses, then one container; got ${names}`);
  }
  if (container === undefined && (name === undefined || ips.length === 0)) {
    throw new HeddleError('bad-input', 'expected a container, or addresses and a name: 10.2.1.1 -h web');
  }
  return {
    ips: [...new Set(ips)],
    ...(container !== undefined && { container: containerName(container) }),
    ...(name !== undefined && { name }),
  };
}

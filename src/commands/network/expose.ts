import type { Command } from 'commander';
import { formatCidr } from '../../network/cidr.ts';
import { bareAddresses } from '../containers/attach.ts';
import { ADDRESS_FORMS, ALLOW_OVERLAP, requestsIn } from '../syntax/address-arguments.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

const describe = (command: Command, summary: string): Command =>
  command.summary(summary).argument('[addresses...]', ADDRESS_FORMS).addOption(formatOption());

export const expose: HostCommand = {
  name: 'expose',
  examples: ['expose 10.2.0.1/16', 'expose -h gateway 10.2.0.1/16'],
  changesNetwork: true,
  describe: (command) =>
    void describe(command, 'give this host addresses on the network')
      // In the weave script, -h is the name.
      .helpOption('--help', 'show this')
      .option('-h, --name <fqdn>', 'a name for these addresses until heddle hide')
      .option('--allow-overlap', ALLOW_OVERLAP)
      .option('--without-masquerade', 'do not masquerade; peers need a route back to this network'),
  check: ({ args }) => void requestsIn(args, 'expose'),
  async run(host, { args, options }, io) {
    const name = options.name as string | undefined;
    const masquerade = options.withoutMasquerade !== true;
    const cidrs = await host.addresses.expose(requestsIn(args, 'expose'), {
      name,
      masquerade,
      allowOverlap: options.allowOverlap === true,
    });
    const value = { addresses: cidrs.map(formatCidr), ...(name !== undefined && { name }) };
    printResult(io, options, bareAddresses(cidrs), value);
    return 0;
  },
};

export const hide: HostCommand = {
  name: 'hide',
  examples: ['hide 10.2.0.1/16'],
  describe: (command) =>
    void describe(command, "remove this host's addresses on the network, and their names"),
  check: ({ args }) => void requestsIn(args, 'hide'),
  async run(host, { args, options }, io) {
    const cidrs = await host.addresses.hide(requestsIn(args, 'hide'));
    printResult(io, options, bareAddresses(cidrs), { addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

import { type Command, Option } from 'commander';
import { HeddleError } from '../../errors.ts';
import { parseHostEntry } from '../../hosts-file/entry.ts';
import { formatCidr } from '../../network/cidr.ts';
import type { Cidr } from '../../network/engine.ts';
import type { AttachCommandOptions } from '../../operations/host-operations.ts';
import {
  ALLOW_OVERLAP,
  addressesAndContainer,
  takesAddressesAndContainer,
} from '../syntax/address-arguments.ts';
import type { CommandArguments, HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

const describe = (command: Command, summary: string): Command =>
  takesAddressesAndContainer(command.summary(summary)).addOption(formatOption());

/** The form that scripts read: addresses without prefix in one line, and no line without addresses. */
export const bareAddresses = (cidrs: readonly Cidr[]): string =>
  cidrs.length === 0 ? '' : `${cidrs.map(({ ip }) => ip).join(' ')}\n`;

export const attach: HostCommand = {
  name: 'attach',
  examples: [
    'attach 10.2.1.1/16 web',
    'attach net:default web',
    'attach --rewrite-hosts --add-host db:10.2.9.9 10.2.1.1/16 web',
  ],
  changesNetwork: true,
  describe: (command) =>
    refuseWithoutDns(
      describe(command, 'give a running container addresses on the network')
        .option('--allow-overlap', ALLOW_OVERLAP)
        .option('--no-multicast-route', 'no route for multicast (224.0.0.0/4), now and after restarts')
        .option(
          '--rewrite-hosts',
          'map its own name to these addresses in its /etc/hosts, now and after restarts',
        )
        .addOption(new Option('--no-rewrite-hosts').hideHelp())
        .option(
          '--add-host <name:ip>',
          'with --rewrite-hosts: add this entry to its /etc/hosts; repeatable',
          collectValues,
        ),
    ),
  check({ args, options }) {
    addressesAndContainer(args, 'attach');
    attachOptions(options);
  },
  async run(host, { args, options }, io) {
    const { requests, container } = addressesAndContainer(args, 'attach');
    const cidrs = await host.addresses.attach(container, requests, attachOptions(options));
    printResult(io, options, bareAddresses(cidrs), { container, addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

/** Options that are not given keep their earlier value. @throws HeddleError `bad-input` */
function attachOptions({
  multicastRoute,
  rewriteHosts,
  addHost,
  allowOverlap,
}: CommandArguments['options']): AttachCommandOptions {
  const hosts = ((addHost ?? []) as readonly string[]).map(parseHostEntry);
  if (hosts.length > 0 && rewriteHosts !== true) {
    throw new HeddleError(
      'bad-input',
      '--add-host adds to the file that --rewrite-hosts writes; give --rewrite-hosts as well',
    );
  }
  return {
    ...(multicastRoute === false && { multicastRoute }),
    ...(rewriteHosts === true && { hosts }),
    ...(allowOverlap === true && { allowOverlap }),
  };
}

const collectValues = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

/** The script's --without-dns cannot be honoured here. The flag exists in order to name the alternative. */
function refuseWithoutDns(command: Command): void {
  command.addOption(new Option('--without-dns').hideHelp());
  command.on('option:without-dns', () => {
    const what = 'the DNS name of a container is always its Docker name; give the container another --name';
    throw new HeddleError('not-supported', `--without-dns: ${what}`);
  });
}

export const detach: HostCommand = {
  name: 'detach',
  examples: ['detach 10.2.1.1/16 web', 'detach web'],
  describe: (command) => void describe(command, 'remove addresses from a container'),
  check: ({ args }) => void addressesAndContainer(args, 'detach'),
  async run(host, { args, options }, io) {
    const { requests, container } = addressesAndContainer(args, 'detach');
    const cidrs = await host.addresses.detach(container, requests);
    printResult(io, options, bareAddresses(cidrs), { container, addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

import { type Command, Option } from 'commander';
import type { AttachOptions } from '../containers/attach-options.ts';
import { formatCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import { ATTACH_FLAGS, IDLE_FLAG, refuseInAttach } from '../run/script-flags.ts';
import { ADDRESS_WORDS, addressesAndContainer } from './addresses.ts';
import { answer, formatOption } from './format.ts';
import type { HostWord, WordArguments } from './word.ts';

const describe = (command: Command, summary: string): Command =>
  command
    .summary(summary)
    .argument('<words...>', `[address]... <container>; addresses are ${ADDRESS_WORDS}`)
    .addOption(formatOption());

/** As scripts read them: without prefix, in one line. */
export const bareAddresses = (cidrs: readonly Cidr[]): string => `${cidrs.map(({ ip }) => ip).join(' ')}\n`;

export const attach: HostWord = {
  name: 'attach',
  connects: true,
  describe: (command) =>
    takeScriptFlags(
      describe(command, 'give a running container addresses on the network').option(
        '--no-multicast-route',
        'without the route for multicast, 224.0.0.0/4, now and over restarts',
      ),
    ),
  check: ({ args }) => void addressesAndContainer(args),
  async run(host, { args, options }, io) {
    const { requests, container } = addressesAndContainer(args);
    const cidrs = await host.addresses.attach(container, requests, attachOptions(options));
    answer(io, options, bareAddresses(cidrs), { container, addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

/** What is not chosen stays as it was. */
const attachOptions = ({ multicastRoute }: WordArguments['options']): AttachOptions =>
  multicastRoute === false ? { multicastRoute } : {};

/** The script's flags are known, to say what is to be done instead. */
function takeScriptFlags(command: Command): void {
  for (const flag of [...ATTACH_FLAGS, IDLE_FLAG]) {
    const value = flag === '--add-host' ? ' <host:ip>' : '';
    command.addOption(new Option(`${flag}${value}`).hideHelp());
    command.on(`option:${flag.slice(2)}`, () => refuseInAttach(flag));
  }
}

export const detach: HostWord = {
  name: 'detach',
  describe: (command) => void describe(command, 'take addresses away from a container'),
  check: ({ args }) => void addressesAndContainer(args),
  async run(host, { args, options }, io) {
    const { requests, container } = addressesAndContainer(args);
    const cidrs = await host.addresses.detach(container, requests);
    answer(io, options, bareAddresses(cidrs), { container, addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

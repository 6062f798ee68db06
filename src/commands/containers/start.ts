import { containerName } from '../../docker/container-name.ts';
import { HeddleError } from '../../errors.ts';
import { parseRequest } from '../../ipam/request.ts';
import { formatCidr } from '../../network/cidr.ts';
import {
  ALLOW_OVERLAP,
  addressesAndContainer,
  takesAddressesAndContainer,
} from '../syntax/address-arguments.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

export const start: HostCommand = {
  name: 'start',
  examples: ['start web', 'start 10.2.1.1/16 web'],
  changesNetwork: true,
  describe: (command) =>
    void takesAddressesAndContainer(
      command.summary('start an existing container, attached to the network'),
      ', or those it had before',
    )
      .option('--allow-overlap', ALLOW_OVERLAP)
      .addOption(formatOption()),
  check: ({ args }) => void addressesAndContainer(args, 'start'),
  async run(host, { args, options }, io) {
    const { container } = addressesAndContainer(args, 'start');
    const cidrs = await host.addresses.start(container, args.slice(0, -1).map(parseRequest), {
      allowOverlap: options.allowOverlap === true,
    });
    printResult(io, options, `${container}\n`, { container, addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

export const restart: HostCommand = {
  name: 'restart',
  examples: ['restart web'],
  changesNetwork: true,
  describe: (command) =>
    void command
      .summary('restart a container; it keeps its addresses')
      .argument('<container>', 'its name or id')
      .addOption(formatOption()),
  check: ({ args }) => void oneContainer(args),
  async run(host, { args, options }, io) {
    const container = oneContainer(args);
    const cidrs = await host.addresses.restart(container);
    printResult(io, options, `${container}\n`, { container, addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

/** @throws HeddleError `bad-input` */
function oneContainer(args: readonly string[]): string {
  const [container, ...more] = args;
  if (container !== undefined && more.length === 0) return containerName(container);
  throw new HeddleError('bad-input', 'expected one container: restart web');
}

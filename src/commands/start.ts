import { HeddleError } from '../errors.ts';
import { parseRequest } from '../ipam/request.ts';
import { formatCidr } from '../network/cidr.ts';
import { ADDRESS_WORDS, addressesAndContainer } from './addresses.ts';
import { answer, formatOption } from './format.ts';
import type { HostWord } from './word.ts';

export const start: HostWord = {
  name: 'start',
  connects: true,
  describe: (command) =>
    void command
      .summary('start a container that exists, attached to the network')
      .argument('<words...>', `[address]... <container>; addresses are ${ADDRESS_WORDS}, or what it had`)
      .addOption(formatOption()),
  check: ({ args }) => void addressesAndContainer(args),
  async run(host, { args, options }, io) {
    const { container } = addressesAndContainer(args);
    const cidrs = await host.addresses.start(container, args.slice(0, -1).map(parseRequest));
    answer(io, options, `${container}\n`, { container, addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

export const restart: HostWord = {
  name: 'restart',
  connects: true,
  describe: (command) =>
    void command
      .summary('restart a container; it keeps its addresses')
      .argument('<container>')
      .addOption(formatOption()),
  check: ({ args }) => {
    if (args.length !== 1) throw new HeddleError('bad-input', 'expected one container: restart web');
  },
  async run(host, { args, options }, io) {
    const [container = ''] = args;
    const cidrs = await host.addresses.restart(container);
    answer(io, options, `${container}\n`, { container, addresses: cidrs.map(formatCidr) });
    return 0;
  },
};

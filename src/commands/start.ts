import { HeddleError } from '../errors.ts';
import { parseRequest } from '../ipam/request.ts';
import { ADDRESS_WORDS, addressesAndContainer } from './addresses.ts';
import type { HostWord } from './word.ts';

export const start: HostWord = {
  name: 'start',
  describe: (command) =>
    void command
      .summary('start a container that exists, attached to the network')
      .argument('<words...>', `[address]... <container>; addresses are ${ADDRESS_WORDS}, or what it had`),
  check: ({ args }) => void addressesAndContainer(args),
  async run(host, { args }, io) {
    const { container } = addressesAndContainer(args);
    await host.addresses.start(container, args.slice(0, -1).map(parseRequest));
    io.stdout.write(`${container}\n`);
    return 0;
  },
};

export const restart: HostWord = {
  name: 'restart',
  describe: (command) =>
    void command.summary('restart a container; it keeps its addresses').argument('<container>'),
  check: ({ args }) => {
    if (args.length !== 1) throw new HeddleError('bad-input', 'expected one container: restart web');
  },
  async run(host, { args }, io) {
    const [container = ''] = args;
    await host.addresses.restart(container);
    io.stdout.write(`${container}\n`);
    return 0;
  },
};

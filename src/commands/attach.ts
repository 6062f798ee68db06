import { ADDRESS_WORDS, addressesAndContainer } from './addresses.ts';
import type { HostWord } from './word.ts';

const describeWords = `[address]... <container>; addresses are ${ADDRESS_WORDS}`;

export const attach: HostWord = {
  name: 'attach',
  describe: (command) =>
    void command
      .summary('give a running container addresses on the network')
      .argument('<words...>', describeWords),
  check: ({ args }) => void addressesAndContainer(args),
  async run(host, request, io) {
    const { requests, container } = addressesAndContainer(request.args);
    const cidrs = await host.addresses.attach(container, requests);
    io.stdout.write(`${cidrs.map((cidr) => cidr.ip).join(' ')}\n`);
    return 0;
  },
};

export const detach: HostWord = {
  name: 'detach',
  describe: (command) =>
    void command.summary('take addresses away from a container').argument('<words...>', describeWords),
  check: ({ args }) => void addressesAndContainer(args),
  async run(host, request, io) {
    const { requests, container } = addressesAndContainer(request.args);
    const cidrs = await host.addresses.detach(container, requests);
    io.stdout.write(`${cidrs.map((cidr) => cidr.ip).join(' ')}\n`);
    return 0;
  },
};

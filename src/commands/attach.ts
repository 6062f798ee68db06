import { addressesAndContainer } from './addresses.ts';
import type { HostWord } from './word.ts';

const describeWords = '<address/prefix>... <container>, as in 10.2.1.1/16 web';

export const attach: HostWord = {
  name: 'attach',
  describe: (command) =>
    void command
      .summary('give a running container addresses on the network')
      .argument('<words...>', describeWords),
  check: ({ args }) => void addressesAndContainer(args),
  async run(host, request, io) {
    const { cidrs, container } = addressesAndContainer(request.args);
    await host.attach(container, cidrs);
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
    const { cidrs, container } = addressesAndContainer(request.args);
    await host.detach(container, cidrs);
    io.stdout.write(`${cidrs.map((cidr) => cidr.ip).join(' ')}\n`);
    return 0;
  },
};

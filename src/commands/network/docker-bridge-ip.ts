import type { HostCommand } from '../syntax/command.ts';
import { answer, formatOption } from '../syntax/format.ts';

export const dockerBridgeIp: HostCommand = {
  name: 'docker-bridge-ip',
  describe: (command) =>
    void command.summary("print the address of Docker's bridge").addOption(formatOption()),
  async run(host, { options }, io) {
    const address = await host.bridgeAddress();
    answer(io, options, `${address}\n`, { address });
    return 0;
  },
};

import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

export const dockerBridgeIp: HostCommand = {
  name: 'docker-bridge-ip',
  describe: (command) =>
    void command.summary("print the address of Docker's bridge").addOption(formatOption()),
  async run(host, { options }, io) {
    const address = await host.bridgeAddress();
    printResult(io, options, `${address}\n`, { address });
    return 0;
  },
};

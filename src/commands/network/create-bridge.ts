import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

/**
 * A Docker engine started with --bridge=weave needs this bridge before it can run. Prints nothing, like the script's
 * command of that name.
 */
export const createBridge: HostCommand = {
  name: 'create-bridge',
  changesNetwork: true,
  needsNoDocker: true,
  describe: (command) =>
    void command
      .summary('create the bridge and its firewall rules; on this host as root, and without Docker')
      .addOption(formatOption()),
  async run(host, { options }, io) {
    const bridge = await host.createBridge();
    printResult(io, options, '', { bridge });
    return 0;
  },
};

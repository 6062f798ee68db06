import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

export const reset: HostCommand = {
  name: 'reset',
  describe: (command) =>
    void command
      .summary('remove the bridge, its attachments, the firewall rules and the claims')
      .option('--force', "also where the bridge is Docker's own")
      .addOption(formatOption()),
  async run(host, { options }, io) {
    const note = await host.addresses.reset({ force: options.force === true });
    if (note !== undefined) io.stderr.write(`heddle: ${note}\n`);
    printResult(io, options, '', { reset: true });
    return 0;
  },
};

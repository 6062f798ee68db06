import { printable } from '../../runtime/printable.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';
import { table } from '../syntax/table.ts';

export const settingsCommand: HostCommand = {
  name: 'settings',
  observesWithoutDaemon: true,
  describe: (command) =>
    void command.summary('the settings in effect, and where each came from').addOption(formatOption()),
  async run(host, { options }, io) {
    const settings = await host.settings();
    const rows = settings.map(({ setting, value, origin }) => [setting, printable(value), printable(origin)]);
    printResult(io, options, table(['setting', 'value', 'from'], rows), settings);
    return 0;
  },
};

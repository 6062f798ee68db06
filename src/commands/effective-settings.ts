import { printable } from '../printable.ts';
import { answer, formatOption } from './format.ts';
import { table } from './table.ts';
import type { HostWord } from './word.ts';

export const settingsWord: HostWord = {
  name: 'settings',
  worksAlone: true,
  describe: (command) =>
    void command.summary('the settings in effect, and where each came from').addOption(formatOption()),
  async run(host, { options }, io) {
    const settings = await host.settings();
    const rows = settings.map(({ setting, value, origin }) => [setting, printable(value), printable(origin)]);
    answer(io, options, table(['setting', 'value', 'from'], rows), settings);
    return 0;
  },
};

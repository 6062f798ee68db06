import { containerJson } from './ps.ts';
import type { HostWord } from './word.ts';

export const report: HostWord = {
  name: 'report',
  describe: (command) => void command.summary('everything that is known of this host, as JSON'),
  async run(host, _, io) {
    const [status, containers, attachments, settings] = await Promise.all([
      host.status(),
      host.containers(),
      host.attachments(),
      host.settings(),
    ]);
    const everything = { ...status, attachments, settings, details: containers.map(containerJson) };
    io.stdout.write(`${JSON.stringify(everything, null, 2)}\n`);
    return 0;
  },
};

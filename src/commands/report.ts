import { fillTemplate, prepareTemplate } from '../services/tag-template/template.ts';
import { formatOption } from './format.ts';
import { containerJson } from './ps.ts';
import type { HostWord } from './word.ts';

export const report: HostWord = {
  name: 'report',
  describe: (command) =>
    void command
      .summary('everything that is known of this host, as JSON')
      .option('-f <template>', "only this of it, by a template of Go's: {{.ipam.range}}")
      .addOption(formatOption()),
  async run(host, { options }, io) {
    const [status, containers, attachments, settings] = await Promise.all([
      host.status(),
      host.containers(),
      host.attachments(),
      host.settings(),
    ]);
    const everything = { ...status, attachments, settings, details: containers.map(containerJson) };
    const json = JSON.stringify(everything, null, 2);
    if (typeof options.f === 'string') await prepareTemplate(options.f);
    const text = typeof options.f === 'string' ? fillTemplate(options.f, JSON.parse(json)) : json;
    io.stdout.write(`${text}\n`);
    return 0;
  },
};

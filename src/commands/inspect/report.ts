import { printableJson } from '../../runtime/printable.ts';
import { fillTemplate, prepareTemplate } from '../../services/tag-template/template.ts';
import { weaveReport } from '../compat/weave-report.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption } from '../syntax/format.ts';
import { containerJson } from './ps.ts';

export const report: HostCommand = {
  name: 'report',
  examples: ['report -f {{.ipam.range}}', "report -f '{{json .DNS}}'"],
  describe: (command) =>
    void command
      .summary('print all data about this host as JSON')
      .option('-f <template>', 'print only this, by a Go template: {{.ipam.range}}, {{json .DNS}}')
      .addOption(formatOption())
      .addHelpText('after', FIELDS),
  async run(host, { options }, io) {
    const [status, containers, attachments, settings] = await Promise.all([
      host.status(),
      host.containers(),
      host.attachments(),
      host.settings(),
    ]);
    const everything = { ...status, attachments, settings, details: containers.map(containerJson) };
    if (typeof options.f !== 'string') {
      io.stdout.write(`${printableJson(everything, 2)}\n`);
      return 0;
    }
    await prepareTemplate(options.f);
    const fields = { ...everything, ...weaveReport(status, await host.names()) };
    io.stdout.write(`${fillTemplate(options.f, JSON.parse(JSON.stringify(fields)))}\n`);
    return 0;
  },
};

const FIELDS = `
Fields of a template: version, daemon, docker, containers, registry, dns, ipam, network, attachments, settings and
details, as in the JSON; and those of the weave script: Version, DNS (Domain, Upstream, Address, TTL, Entries) and
IPAM (Range, RangeNumIPs, DefaultSubnet, Entries). {{json .dns}} prints a field as JSON.`;

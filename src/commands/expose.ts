import type { Command } from 'commander';
import { ADDRESS_WORDS, requestsIn } from './addresses.ts';
import type { HostWord } from './word.ts';

const describe = (command: Command, summary: string): Command =>
  command.summary(summary).argument('[addresses...]', ADDRESS_WORDS);

export const expose: HostWord = {
  name: 'expose',
  describe: (command) =>
    void describe(command, 'give this host addresses on the network')
      // As the weave script has it: -h is the name.
      .helpOption('--help', 'show this')
      .option('-h, --name <fqdn>', 'a name for these addresses'),
  check: ({ args }) => void requestsIn(args),
  async run(host, { args, options }, io) {
    const cidrs = await host.addresses.expose(requestsIn(args));
    const ips = cidrs.map(({ ip }) => ip);
    if (typeof options.name === 'string') await host.addName({ ips, name: options.name });
    io.stdout.write(`${ips.join(' ')}\n`);
    return 0;
  },
};

export const hide: HostWord = {
  name: 'hide',
  describe: (command) => void describe(command, "take this host's addresses on the network away"),
  check: ({ args }) => void requestsIn(args),
  async run(host, { args }, io) {
    const ips = (await host.addresses.hide(requestsIn(args))).map(({ ip }) => ip);
    io.stdout.write(`${ips.join(' ')}\n`);
    return 0;
  },
};

import { dnsArgs } from '../dns/args.ts';
import type { HostWord } from './word.ts';

export const dnsArgsWord: HostWord = {
  name: 'dns-args',
  takesDockerArguments: true,
  describe: (command) =>
    void command
      .summary('print the --dns flags that make docker run use the resolver')
      .argument(
        '[docker run arguments...]',
        'what docker run will be given; only a --dns-search in it counts',
      ),
  async run(host, request, io) {
    io.stdout.write(`${dnsArgs(await host.resolver(), request.args).join(' ')}\n`);
    return 0;
  },
};

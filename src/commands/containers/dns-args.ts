import { dnsArgs, dnsPreferences, preferenceArguments } from '../../dns/args.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

export const dnsArgsCommand: HostCommand = {
  name: 'dns-args',
  examples: ['dns-args', 'dns-args --dns-search example.com nginx'],
  takesDockerArguments: true,
  argumentsToSend(args) {
    const dockerArgs = withoutFormat(args);
    const format = args.slice(0, args.length - dockerArgs.length);
    return [...format, ...preferenceArguments(dnsPreferences(dockerArgs))];
  },
  describe: (command) =>
    void command
      .summary('print the --dns flags that make docker run use the resolver')
      .argument(
        '[docker run arguments...]',
        'the arguments of docker run; its --dns-search and --network matter',
      )
      .addOption(formatOption()),
  async run(host, { args, options }, io) {
    const dockerArgs = withoutFormat(args);
    const { resolver, onlyAttached } = dnsPreferences(dockerArgs);
    const flags = resolver ? dnsArgs(await host.resolver({ onlyAttached }), dockerArgs) : [];
    printResult(io, options, `${flags.join(' ')}\n`, { args: flags });
    return 0;
  },
};

/** Our own --format comes first; Docker's arguments follow it. */
function withoutFormat(args: readonly string[]): readonly string[] {
  const [first = ''] = args;
  if (first === '--format') return args.slice(2);
  return first.startsWith('--format=') ? args.slice(1) : args;
}

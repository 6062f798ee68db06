import { resolverArgs } from '../../dns/args.ts';
import { hasCode } from '../../errors.ts';
import { ALLOW_OVERLAP, requestsIn } from '../syntax/address-arguments.ts';
import type { HostCommand } from '../syntax/command.ts';

/**
 * What `run` needs before it starts a container: whether these addresses are available, and which flags make the
 * container ask heddle for names.
 */
export const prepareRun: HostCommand = {
  name: 'prepare-run',
  hidden: true,
  describe: (command) =>
    void command
      .summary('print what run needs before it starts a container')
      .argument('[addresses...]', 'the addresses that it requests')
      .option('--allow-overlap', ALLOW_OVERLAP)
      .option('--with-dns', 'print the flags that make docker run use the resolver')
      .option('--own-search', 'the container has its own search domains')
      .option('--only-attached', 'the container has no network besides the one of heddle'),
  async run(host, { args, options }, io) {
    if (args.length > 0) {
      await host.addresses.check(requestsIn(args, 'run'), { allowOverlap: options.allowOverlap === true });
    }
    if (!options.withDns) return 0;
    const onlyAttached = options.onlyAttached === true;
    const resolver = await host.resolver({ onlyAttached }).catch((error: unknown) => {
      // The container can run without names. It gets no resolver that it cannot reach.
      if (!onlyAttached || !hasCode(error, 'not-found')) throw error;
      io.stderr.write(`heddle: the container cannot use heddle's DNS: ${error.message}\n`);
      return undefined;
    });
    const flags = resolverArgs(resolver, { search: options.ownSearch !== true });
    io.stdout.write(`${flags.join(' ')}\n`);
    return 0;
  },
};

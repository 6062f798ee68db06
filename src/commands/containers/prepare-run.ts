import { resolverArgs } from '../../dns/args.ts';
import { HeddleError } from '../../errors.ts';
import { ALLOW_OVERLAP, requestsIn } from '../syntax/address-arguments.ts';
import type { HostCommand } from '../syntax/command.ts';

/**
 * All that `run` asks before it starts anything: could a new container have these addresses, and which flags make it
 * ask us for names?
 */
export const prepareRun: HostCommand = {
  name: 'prepare-run',
  hidden: true,
  describe: (command) =>
    void command
      .summary('find out what run must know before it starts a container')
      .argument('[addresses...]', 'those that it is to have')
      .option('--allow-overlap', ALLOW_OVERLAP)
      .option('--with-dns', 'print the flags that make docker run use the resolver')
      .option('--own-search', 'it has search domains of its own')
      .option('--only-attached', 'it has no network but the one that it is attached to'),
  async run(host, { args, options }, io) {
    if (args.length > 0) {
      await host.addresses.check(requestsIn(args, 'run'), { allowOverlap: options.allowOverlap === true });
    }
    if (!options.withDns) return 0;
    const onlyAttached = options.onlyAttached === true;
    const resolver = await host.resolver({ onlyAttached }).catch((error: unknown) => {
      // It runs without names as well: what it cannot reach is not given to it.
      if (!onlyAttached || !(error instanceof HeddleError) || error.code !== 'not-found') throw error;
      io.stderr.write(`heddle: no names for it: ${error.message}\n`);
      return undefined;
    });
    const flags = resolverArgs(resolver, { search: options.ownSearch !== true });
    io.stdout.write(`${flags.join(' ')}\n`);
    return 0;
  },
};

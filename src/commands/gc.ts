import { HeddleError } from '../errors.ts';
import { checkHostId } from '../services/identity.ts';
import { printable, table } from './table.ts';
import type { HostWord } from './word.ts';

export const gc: HostWord = {
  name: 'gc',
  describe: (command) =>
    void command
      .summary('remove what a host that is gone has left in Consul')
      .description(
        'Removes the services that another heddle registered, by its host-id, and prints them. Only for a host that is gone: a heddle that runs there would register them again.',
      )
      .requiredOption('--host <id>', "the host's id, as its heddle-host in Meta and heddle status show it")
      .option('--dry-run', 'only print what would be removed'),
  check: ({ options }) => void checkHostId(String(options.host)),
  async run(host, { options }, io) {
    const remains = await host.removeHost(checkHostId(String(options.host)), {
      dryRun: options.dryRun === true,
    });
    if (remains.length === 0) {
      io.stderr.write(`heddle: nothing of host ${String(options.host)} is there\n`);
      return 0;
    }
    const rows = remains.map(({ node, name, id, outcome }) => [node, name, id, outcome].map(printable));
    io.stdout.write(table(['node', 'service', 'id', ''], rows));
    const kept = new Set(remains.filter(({ outcome }) => outcome === 'kept').map(({ node }) => node));
    if (kept.size === 0) return 0;
    const nodes = printable([...kept].join(', '));
    throw new HeddleError(
      'refused',
      `${nodes}: the Consul agent there lives and would bring its services back; run heddle gc through it`,
    );
  },
};

import { HeddleError } from '../../errors.ts';
import type { FormerOwner, Leftover } from '../../registry/consul/leftovers.ts';
import type { Io } from '../../runtime/io.ts';
import { printable } from '../../runtime/printable.ts';
import { checkHostId } from '../../services/naming/identity.ts';
import type { CommandArguments, HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';
import { table } from '../syntax/table.ts';

export const gc: HostCommand = {
  name: 'gc',
  examples: ['gc --host 0123456789ab --dry-run', 'gc --registrator host22 --dry-run'],
  describe: (command) =>
    void command
      .summary('remove what a host or a registrator that is gone left in Consul')
      .description(
        'Removes and prints the services that another heddle registered (by its host-id), or that a registrator registered with this Consul agent (by the host name at the start of its ids). Use it only after that program is gone: while it runs, it registers its services again.',
      )
      .option('--host <id>', 'a host id, as heddle status and the Meta key heddle-host show it')
      .option(
        '--registrator <hostname>',
        'the host name of a registrator, whose ids are HOSTNAME:container:port',
      )
      .option('--dry-run', 'only print what would be removed')
      .addOption(formatOption()),
  check: (request) => void parseOwner(request),
  async run(host, request, io) {
    const gone = parseOwner(request);
    const leftovers = await host.collectLeftovers(gone, { dryRun: request.options.dryRun === true });
    if (leftovers.length === 0) {
      const owner = 'hostId' in gone ? `host ${gone.hostId}` : `a registrator of host ${gone.registrator}`;
      io.stderr.write(`heddle: no services of ${owner} found\n`);
      printResult(io, request.options, '', leftovers);
      return 0;
    }
    const rows = leftovers.map(({ node, name, id, outcome }) => [node, name, id, outcome].map(printable));
    printResult(io, request.options, table(['node', 'service', 'id', ''], rows), leftovers);
    noteSkipped(leftovers, io);
    failIfKept(leftovers);
    return 0;
  },
};

function parseOwner({ options: { host, registrator } }: CommandArguments): FormerOwner {
  if ((host === undefined) === (registrator === undefined)) {
    throw new HeddleError('bad-input', 'expected either --host ID or --registrator HOSTNAME');
  }
  if (host !== undefined) return { hostId: checkHostId(String(host)) };
  return { registrator: checkHostname(String(registrator)) };
}

function checkHostname(text: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,252}$/.test(text)) return text;
  const expected = 'expected the part of its service ids before the first colon';
  throw new HeddleError('bad-input', `${JSON.stringify(text)} is not a host name; ${expected}`);
}

function noteSkipped(leftovers: readonly Leftover[], io: Pick<Io, 'stderr'>): void {
  const skipped = leftovers.filter(({ outcome }) => outcome === 'skipped');
  if (skipped.length === 0) return;
  const names = printable(skipped.map(({ name, id }) => JSON.stringify(id || name)).join(', '));
  const why = 'Consul answers no request for a name or id with control characters';
  io.stderr.write(`heddle: skipped ${names}: ${why}; remove it there with /v1/catalog/deregister\n`);
}

function failIfKept(leftovers: readonly Leftover[]): void {
  const kept = new Set(leftovers.filter(({ outcome }) => outcome === 'kept').map(({ node }) => node));
  if (kept.size === 0) return;
  const nodes = printable([...kept].join(', '));
  throw new HeddleError(
    'refused',
    `${nodes}: the Consul agent there is alive and would restore its services; run heddle gc through that agent`,
  );
}

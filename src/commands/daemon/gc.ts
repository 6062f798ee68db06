import { HeddleError } from '../../errors.ts';
import type { Gone, Leftover } from '../../registry/consul/leftovers.ts';
import type { Io } from '../../runtime/io.ts';
import { printable } from '../../runtime/printable.ts';
import { checkHostId } from '../../services/naming/identity.ts';
import type { CommandArguments, HostCommand } from '../syntax/command.ts';
import { answer, formatOption } from '../syntax/format.ts';
import { table } from '../syntax/table.ts';

export const gc: HostCommand = {
  name: 'gc',
  examples: ['gc --host 0123456789ab --dry-run', 'gc --registrator host22 --dry-run'],
  describe: (command) =>
    void command
      .summary('remove what a host that is gone, or a registrator, has left in Consul')
      .description(
        'Removes the services that another heddle registered, by its host-id, or that a registrator registered with the Consul agent at hand, by the host name that its ids begin with; and prints them. Only for those who are gone: while they run they would register them again.',
      )
      .option('--host <id>', "a host's id, as its heddle-host in Meta and heddle status show it")
      .option('--registrator <hostname>', "a registrator's host name: its ids are HOSTNAME:container:port")
      .option('--dry-run', 'only print what would be removed')
      .addOption(formatOption()),
  check: (request) => void goneOf(request),
  async run(host, request, io) {
    const gone = goneOf(request);
    const remains = await host.collectLeftovers(gone, { dryRun: request.options.dryRun === true });
    if (remains.length === 0) {
      const whose = 'hostId' in gone ? `host ${gone.hostId}` : `a registrator of host ${gone.registrator}`;
      io.stderr.write(`heddle: nothing of ${whose} is there\n`);
      answer(io, request.options, '', remains);
      return 0;
    }
    const rows = remains.map(({ node, name, id, outcome }) => [node, name, id, outcome].map(printable));
    answer(io, request.options, table(['node', 'service', 'id', ''], rows), remains);
    noteSkipped(remains, io);
    refuseIfKept(remains);
    return 0;
  },
};

function goneOf({ options: { host, registrator } }: CommandArguments): Gone {
  if ((host === undefined) === (registrator === undefined)) {
    throw new HeddleError('bad-input', 'name who is gone, by either --host ID or --registrator HOSTNAME');
  }
  if (host !== undefined) return { hostId: checkHostId(String(host)) };
  return { registrator: checkHostname(String(registrator)) };
}

function checkHostname(text: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,252}$/.test(text)) return text;
  const expected = 'expected what the ids of its services have before their first colon';
  throw new HeddleError('bad-input', `${JSON.stringify(text)} is no host name; ${expected}`);
}

function noteSkipped(remains: readonly Leftover[], io: Pick<Io, 'stderr'>): void {
  const skipped = remains.filter(({ outcome }) => outcome === 'skipped');
  if (skipped.length === 0) return;
  const names = printable(skipped.map(({ name, id }) => JSON.stringify(id || name)).join(', '));
  const why = 'Consul answers no question about a name or id with control characters';
  io.stderr.write(`heddle: skipped ${names}: ${why}; remove it there with /v1/catalog/deregister\n`);
}

function refuseIfKept(remains: readonly Leftover[]): void {
  const kept = new Set(remains.filter(({ outcome }) => outcome === 'kept').map(({ node }) => node));
  if (kept.size === 0) return;
  const nodes = printable([...kept].join(', '));
  throw new HeddleError(
    'refused',
    `${nodes}: the Consul agent there lives and would bring its services back; run heddle gc through it`,
  );
}

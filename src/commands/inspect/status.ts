import { shortId } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import type { HostOperations, StatusReport } from '../../operations/host-operations.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import { printable } from '../../runtime/printable.ts';
import { PEER_PARTS, refuseManyHosts } from '../compat/many-hosts.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';
import { table } from '../syntax/table.ts';

type Row = readonly [part: string, line: string];

const ROWS = {
  docker: dockerRows,
  registry: registryRows,
  dns: dnsRows,
  network: networkRows,
  ipam: ipamRows,
} as const;

const SUBJECTS = ['dns', 'services', 'ipam', 'network', 'docker', 'registry'] as const;

export const status: HostCommand = {
  name: 'status',
  examples: ['status', 'status dns', 'status ipam --format json'],
  describe: (command) =>
    void command
      .summary('print the state of every part, or the details of one')
      .argument('[part]', SUBJECTS.join(', '))
      .addOption(formatOption()),
  check({ args: [part] }) {
    if (part === undefined || SUBJECTS.some((subject) => subject === part)) return;
    if (PEER_PARTS.some((subject) => subject === part)) refuseManyHosts(`status ${part}`);
    const meant = didYouMean(part, SUBJECTS);
    const there = SUBJECTS.join(', ');
    throw new HeddleError('bad-input', `status has no part '${part}'${meant}; expected one of ${there}`);
  },
  async run(host, { args, options }, io) {
    const [part] = args as [(typeof SUBJECTS)[number]?];
    const { value, text } = await reportOn(host, part);
    printResult(io, options, text, value);
    return 0;
  },
};

async function reportOn(
  host: HostOperations,
  part: (typeof SUBJECTS)[number] | undefined,
): Promise<{ value: unknown; text: string }> {
  if (part === 'services') return services(host);
  const report = await host.status();
  if (part === undefined) return { value: report, text: lines(allRows(report)) };
  const text = lines(ROWS[part](report));
  return { value: report[part], text: part === 'ipam' ? `${text}${owners(report.ipam)}` : text };
}

async function services(host: HostOperations): Promise<{ value: unknown; text: string }> {
  const found = (await host.containers()).flatMap((report) =>
    report.services.map((service) => ({ container: report.entry.snapshot.name, service })),
  );
  const rows = found.map(({ container, service: { id, name, tags, address, port } }) =>
    [name, `${address}:${port}`, tags.join(',') || '-', container, id].map(printable),
  );
  return {
    value: found.map(({ service }) => service),
    text: table(['service', 'address', 'tags', 'container', 'id'], rows),
  };
}

const owners = ({ owners }: StatusReport['ipam']): string =>
  table(
    ['addresses', 'owner', 'name', 'state'],
    owners.map(({ addresses, owner, name, running }) => [
      addresses.join(','),
      owner.includes(':') ? owner : shortId(owner),
      printable(name) || '-',
      running ? 'running' : 'kept',
    ]),
  );

const lines = (rows: readonly Row[]): string =>
  rows.map(([part, line]) => `${part.padStart(10)}: ${printable(line)}\n`).join('');

function allRows(report: StatusReport): readonly Row[] {
  const { version, daemon, containers } = report;
  const { running, announced, awaiting } = containers;
  const self = daemon ? `pid ${daemon.pid}, host ${daemon.hostId}, since ${daemon.startedAt}` : 'no daemon';
  return [
    ['Heddle', `${version}, ${self}`],
    ...dockerRows(report),
    ['Containers', `${running} running, ${announced} announced, ${awaiting} waiting for an address`],
    ...registryRows(report),
    ...dnsRows(report),
    ...networkRows(report),
    ...ipamRows(report),
  ];
}

function dockerRows({ docker: { address, follower } }: StatusReport): readonly Row[] {
  return [['Docker', follower ? `${address}, ${follower.stream}` : address]];
}

function registryRows({ registry }: StatusReport): readonly Row[] {
  if (!registry) return [['Registry', '-']];
  const { name, state, services, remote, detail } = registry;
  const own = `${services} services${detail && `: ${detail}`}`;
  const rows: Row[] = [['Registry', `${name}, ${state}, ${own}`]];
  if (!remote) return rows;
  const others = `${remote.known} names requested, ${remote.watched} watched`;
  return [...rows, ['Elsewhere', `${others}${remote.state === 'live' ? '' : ', as last known'}`]];
}

function dnsRows({ dns }: StatusReport): readonly Row[] {
  return (dns ?? []).map(({ address, state, udp, detail }) => [
    'DNS',
    `${address} ${state}${udp ? `, UDP ${udp}` : ''}${detail && `: ${detail}`}`,
  ]);
}

function networkRows({ network: { bridge, addresses, detail } }: StatusReport): readonly Row[] {
  return [['Network', [`bridge ${bridge}`, ...addresses, detail].filter(Boolean).join(', ')]];
}

function ipamRows({ ipam: { range, defaultSubnet, owners } }: StatusReport): readonly Row[] {
  const assigned = owners.reduce((sum, { addresses }) => sum + addresses.length, 0);
  const subnet = defaultSubnet === range ? '' : `, by default ${defaultSubnet}`;
  return [['IPAM', `range ${range}${subnet}, ${assigned} addresses of ${owners.length} owners`]];
}

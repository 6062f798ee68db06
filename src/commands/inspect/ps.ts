import { Option } from 'commander';
import { containerName, isContainer } from '../../docker/container-name.ts';
import { shortId } from '../../docker/snapshot.ts';
import { EXPOSED } from '../../ipam/claims.ts';
import { formatCidr } from '../../network/cidr.ts';
import type { Cidr } from '../../network/engine.ts';
import { announcement } from '../../operations/announcement.ts';
import type { AttachmentReport, ContainerReport, HostOperations } from '../../operations/host-operations.ts';
import type { Io } from '../../runtime/io.ts';
import { printable } from '../../runtime/printable.ts';
import type { HostCommand } from '../syntax/command.ts';
import { answer } from '../syntax/format.ts';
import { table } from '../syntax/table.ts';

const psFormat = (): Option =>
  new Option(
    '--format <format>',
    "text, json, or weave: id, MAC and addresses in a line each, as the weave script's ps",
  )
    .choices(['text', 'json', 'weave'])
    .default('text');

const HEADINGS = ['container', 'name', 'addresses', 'services', 'announced at'];

export const ps: HostCommand = {
  name: 'ps',
  examples: ['ps', 'ps web', 'ps --format json web', 'ps --format weave'],
  describe: (command) =>
    void command
      .summary('the containers: address, services, and why')
      .argument('[containers...]', 'ids or names; all running ones without')
      .addOption(psFormat()),
  check({ args }) {
    for (const word of args) if (word !== EXPOSED) containerName(word);
  },
  async run(host, request, io) {
    const asked = request.args;
    if (request.options.format === 'weave') return await psOfWeave(host, asked, io);
    const all = (await host.containers()).filter(({ entry }) => entry.snapshot.pid > 0);
    const isAsked = (is: (word: string) => boolean) => asked.length === 0 || asked.some(is);
    const shown = all.filter((report) => isAsked((word) => named(report, word)));
    const bridge = isAsked((word) => word === EXPOSED) ? await exposed(host) : [];
    const unknown = asked.filter((word) => word !== EXPOSED && !all.some((report) => named(report, word)));
    for (const word of unknown) io.stderr.write(`heddle: no running container '${printable(word)}'\n`);
    const rows = bridge.map(({ owner, addresses }) => [owner, '-', addresses.join(','), '-', '-']);
    const notes = [...bridge.map(() => []), ...shown.map(problemsOf)];
    const text = table(HEADINGS, [...rows, ...shown.map(toRow)], notes);
    answer(io, request.options, text, shown.map(containerJson));
    return unknown.length > 0 ? 3 : 0;
  },
};

/** This host's own addresses on the network, as the script's ps has them in its first line. */
const exposed = async (host: HostOperations): Promise<readonly AttachmentReport[]> =>
  (await host.attachments()).filter(({ owner }) => owner === EXPOSED);

/** One without our interface is left out silently, as scripts that read this expect. */
async function psOfWeave(host: HostOperations, asked: readonly string[], io: Io): Promise<number> {
  const names = new Map((await host.containers()).map((report) => [report.entry.snapshot.id, report]));
  for (const { owner, mac, addresses } of await host.attachments()) {
    const report = names.get(owner);
    const wanted = asked.some((word) => word === owner || (report && named(report, word)));
    if (asked.length > 0 && !wanted) continue;
    io.stdout.write(`${[report ? shortId(owner) : owner, mac, ...addresses].join(' ')}\n`);
  }
  return 0;
}

const named = ({ entry: { snapshot } }: ContainerReport, word: string): boolean =>
  isContainer(snapshot, word);

function toRow(report: ContainerReport): readonly string[] {
  const { snapshot } = report.entry;
  return [
    shortId(snapshot.id),
    printable(snapshot.name),
    addressesOf(report).map(formatCidr).join(',') || '-',
    [...new Set(report.services.map((service) => service.name))].join(',') || '-',
    printable(announcement(report).text),
  ];
}

/** The announced ones first. */
function addressesOf({ entry: { addresses, choice } }: ContainerReport): readonly Cidr[] {
  const announced = (ip: string) => choice.chosen && (ip === choice.ip || ip === choice.ipv6);
  return [...addresses.filter(({ ip }) => announced(ip)), ...addresses.filter(({ ip }) => !announced(ip))];
}

/** What is wrong with its metadata: a line each, below its row. */
const problemsOf = ({ problems }: ContainerReport): readonly string[] =>
  problems.map((problem) => `  problem: ${printable(problem)}`);

/** A container in JSON. */
export function containerJson({ entry, services, problems }: ContainerReport): unknown {
  const { id, name, image, startedAt, health } = entry.snapshot;
  return {
    container: id,
    ...{ name, image, startedAt, health },
    addresses: entry.addresses,
    announcedAt: entry.choice,
    awaitingAddress: entry.awaitingAddress,
    services,
    problems: entry.problem === undefined ? problems : [entry.problem, ...problems],
  };
}

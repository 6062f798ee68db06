import { Option } from 'commander';
import type { Choice } from '../../addresses/choose-address.ts';
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
import { printResult } from '../syntax/format.ts';
import { table } from '../syntax/table.ts';

const psFormat = (): Option =>
  new Option(
    '--format <format>',
    "text, json, or weave: one line with id, MAC and addresses each, as the weave script's ps",
  )
    .choices(['text', 'json', 'weave'])
    .default('text');

const HEADINGS = ['container', 'name', 'addresses', 'services', 'announced at'];

export const ps: HostCommand = {
  name: 'ps',
  examples: ['ps', 'ps web', 'ps --format json web', 'ps --format weave'],
  describe: (command) =>
    void command
      .summary('list the containers with addresses, services and the announced address')
      .argument('[containers...]', 'ids or names; without any, all running containers')
      .addOption(psFormat()),
  check({ args }) {
    for (const arg of args) if (arg !== EXPOSED) containerName(arg);
  },
  async run(host, request, io) {
    const names = request.args;
    if (request.options.format === 'weave') return await weavePs(host, names, io);
    const all = (await host.containers()).filter(({ entry }) => entry.snapshot.pid > 0);
    const isRequested = (is: (name: string) => boolean) => names.length === 0 || names.some(is);
    const shown = all.filter((report) => isRequested((name) => matches(report, name)));
    const bridge = isRequested((name) => name === EXPOSED) ? await exposedAddresses(host) : [];
    const unknown = names.filter((name) => name !== EXPOSED && !all.some((report) => matches(report, name)));
    for (const name of unknown) io.stderr.write(`heddle: no running container '${printable(name)}'\n`);
    const rows = bridge.map(({ owner, addresses }) => [owner, '-', addresses.join(','), '-', '-']);
    const notes = [...bridge.map(() => []), ...shown.map(problemsOf)];
    const text = table(HEADINGS, [...rows, ...shown.map(toRow)], notes);
    printResult(io, request.options, text, shown.map(containerJson));
    return unknown.length > 0 ? 3 : 0;
  },
};

/** This host's own addresses on the network; the script's ps prints them in its first line. */
const exposedAddresses = async (host: HostOperations): Promise<readonly AttachmentReport[]> =>
  (await host.attachments()).filter(({ owner }) => owner === EXPOSED);

/** Silently omits a container without our interface: scripts that read this expect so. */
async function weavePs(host: HostOperations, names: readonly string[], io: Io): Promise<number> {
  const reports = new Map((await host.containers()).map((report) => [report.entry.snapshot.id, report]));
  for (const { owner, mac, addresses } of await host.attachments()) {
    const report = reports.get(owner);
    const isRequested = names.some((name) => name === owner || (report && matches(report, name)));
    if (names.length > 0 && !isRequested) continue;
    io.stdout.write(`${[report ? shortId(owner) : owner, mac, ...addresses].join(' ')}\n`);
  }
  return 0;
}

const matches = ({ entry: { snapshot } }: ContainerReport, name: string): boolean =>
  isContainer(snapshot, name);

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

/** All addresses, announced ones first. */
function addressesOf({ entry: { addresses, choice } }: ContainerReport): readonly Cidr[] {
  const announced = (ip: string) => choice.chosen && (ip === choice.ip || ip === choice.ipv6);
  return [...addresses.filter(({ ip }) => announced(ip)), ...addresses.filter(({ ip }) => !announced(ip))];
}

/** The problems of its metadata: a line for each, below the row of the container. */
const problemsOf = ({ problems }: ContainerReport): readonly string[] =>
  problems.map((problem) => `  problem: ${printable(problem)}`);

/** The JSON form of a choice. Scripts read the term of the policy under the key `word`. */
export function choiceJson(choice: Choice): unknown {
  if (!choice.chosen) {
    return { ...choice, tried: choice.tried.map(({ term, why }) => ({ word: term, why })) };
  }
  const { term, ...rest } = choice;
  return { ...rest, word: term };
}

/** The JSON form of a container. */
export function containerJson({ entry, services, problems }: ContainerReport): unknown {
  const { id, name, image, startedAt, health } = entry.snapshot;
  return {
    container: id,
    ...{ name, image, startedAt, health },
    addresses: entry.addresses,
    announcedAt: choiceJson(entry.choice),
    awaitingAddress: entry.awaitingAddress,
    services,
    problems: entry.problem === undefined ? problems : [entry.problem, ...problems],
  };
}

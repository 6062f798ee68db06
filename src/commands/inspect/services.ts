import { containerName, isContainer } from '../../docker/container-name.ts';
import { shortId } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { announcement } from '../../operations/announcement.ts';
import type { ContainerReport, HostOperations } from '../../operations/host-operations.ts';
import type { CheckState } from '../../registry/registry.ts';
import { printable } from '../../runtime/printable.ts';
import { withoutSecrets } from '../../runtime/secrets.ts';
import { addressesOf, type Check, type Service } from '../../services/service.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';
import { table } from '../syntax/table.ts';
import { choiceJson } from './ps.ts';

const HEADINGS = ['service', 'address', 'port', 'tags', 'container', 'registry'];

export const services: HostCommand = {
  name: 'services',
  examples: ['services', 'services --dry-run web'],
  describe: (command) =>
    void command
      .summary('list what is registered, or what would be registered and why')
      .description(
        'Lists the services of the containers. With --dry-run, prints what would be registered for each, and why.',
      )
      .argument('[containers...]', 'ids or names; without any, all running containers')
      .option('--dry-run', 'print what would be registered and why, without regard to the registry')
      .addOption(formatOption()),
  check({ args }) {
    for (const arg of args) containerName(arg);
  },
  async run(host, { args, options }, io) {
    const reports = chosen(await host.containers(), args);
    const dry = options.dryRun === true;
    const all = reports.map((report) => toJson(report, host));
    if (dry) printResult(io, options, reports.map(dryRun).join('\n'), all);
    else {
      const listed = reports.flatMap((report) => rows(report, host));
      const value = all.flatMap(({ services }) => services);
      printResult(io, options, table(HEADINGS, listed), value);
    }
    return 0;
  },
};

/** All running containers, or the named ones even if stopped. @throws HeddleError `not-found` */
function chosen(reports: readonly ContainerReport[], names: readonly string[]): readonly ContainerReport[] {
  if (names.length === 0) return reports.filter(({ entry }) => entry.snapshot.pid > 0);
  return names.map((name) => {
    const report = reports.find(({ entry: { snapshot } }) => isContainer(snapshot, name));
    if (report === undefined) throw new HeddleError('not-found', `no such container: ${printable(name)}`);
    return report;
  });
}

const rows = ({ entry, services }: ContainerReport, host: HostOperations): readonly (readonly string[])[] =>
  services.map((service) => [
    ...[service.name, addressesOf(service).join(','), String(service.port)],
    printable(service.tags.join(',')) || '-',
    ...[printable(entry.snapshot.name), printable(host.registration(service.id))],
  ]);

function dryRun(report: ContainerReport): string {
  const { id, name } = report.entry.snapshot;
  const lines = [`${printable(name)} (${shortId(id)})`, `  ${printable(announcement(report).text)}`];
  for (const service of report.services) lines.push(...describeService(service).map((line) => `  ${line}`));
  if (report.services.length === 0) lines.push('  no service');
  lines.push(...report.problems.map((problem) => `  note: ${printable(problem)}`));
  return `${lines.join('\n')}\n`;
}

/** A service in a few lines, with the state of its checks as far as it is reported. */
export function describeService(service: Service, states: readonly CheckState[] = []): readonly string[] {
  const { id, name, port, tags, checks, meta } = service;
  const own = Object.entries(meta).filter(([key]) => !key.startsWith('heddle-'));
  return [
    printable(
      `service ${name} at ${addressesOf(service).join(' and ')}${port === 0 ? ', no port' : `, port ${port}`}`,
    ),
    `  id      ${printable(id)}`,
    ...(tags.length > 0 ? [`  tags    ${printable(tags.join(', '))}`] : []),
    ...(own.length > 0
      ? [`  meta    ${printable(own.map(([key, value]) => `${key}=${value}`).join(', '))}`]
      : []),
    ...checks.map((check) => {
      const state = states.find(({ id }) => id === check.id);
      return `  check   ${printable(describeCheck(check))}${state ? `: ${state.status}` : ''}`;
    }),
    ...states
      .filter(({ id }) => !checks.some((check) => check.id === id))
      .map((state) => `  check   ${printable(state.name)}: ${state.status}`),
  ];
}

function describeCheck(check: Check): string {
  const every = check.interval === undefined ? '' : `, every ${check.interval}`;
  if (check.kind === 'http') return `http ${check.method ?? 'GET'} ${withoutSecrets(check.url)}${every}`;
  if (check.kind === 'script') return `script ${check.args.join(' ')}${every}`;
  return 'target' in check ? `${check.kind} ${check.target}${every}` : `${check.kind}${every}`;
}

function toJson(report: ContainerReport, host: HostOperations) {
  const { id: container, name } = report.entry.snapshot;
  return {
    container,
    name,
    announcedAt: choiceJson(report.entry.choice),
    why: announcement(report).text,
    services: report.services.map((service) => ({
      ...service,
      container,
      registration: host.registration(service.id),
    })),
    problems: report.problems,
  };
}

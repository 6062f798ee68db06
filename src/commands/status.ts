import type { StatusReport } from '../control/host.ts';
import { formatOption } from './ps.ts';
import type { HostWord } from './word.ts';

export const status: HostWord = {
  name: 'status',
  describe: (command) => void command.summary('the state of every part').addOption(formatOption()),
  async run(host, request, io) {
    const report = await host.status();
    io.stdout.write(
      request.options.format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : text(report),
    );
    return 0;
  },
};

function text(report: StatusReport): string {
  const { daemon, docker, containers, registry, dns, network } = report;
  const lines: (readonly [string, string])[] = [
    [
      'Heddle',
      daemon
        ? `${report.version}, pid ${daemon.pid}, host ${daemon.hostId}, since ${daemon.startedAt}`
        : `${report.version}, no daemon`,
    ],
    ['Docker', docker.follower ? `${docker.address}, ${docker.follower.stream}` : docker.address],
    [
      'Containers',
      `${containers.running} running, ${containers.announced} announced, ${containers.awaiting} waiting for an address`,
    ],
    [
      'Registry',
      registry
        ? `${registry.name}, ${registry.state}, ${registry.services} services${registry.detail && `: ${registry.detail}`}`
        : '-',
    ],
    ...(dns ?? []).map(({ address, state, detail }): [string, string] => [
      'DNS',
      `${address} ${state}${detail && `: ${detail}`}`,
    ]),
    [
      'Network',
      [`bridge ${network.bridge}`, ...network.addresses, network.detail].filter(Boolean).join(', '),
    ],
  ];
  return lines.map(([part, line]) => `${part.padStart(10)}: ${line}\n`).join('');
}

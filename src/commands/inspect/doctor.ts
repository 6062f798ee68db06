import type { Finding } from '../../doctor/finding.ts';
import { printable } from '../../runtime/printable.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

export const doctor: HostCommand = {
  name: 'doctor',
  observesWithoutDaemon: true,
  describe: (command) =>
    void command
      .summary('check everything that heddle depends on, and print what to do')
      .addOption(formatOption()),
  async run(host, { options }, io) {
    const findings = await host.doctor();
    printResult(io, options, findings.map(text).join(''), findings);
    return findings.some(({ state }) => state === 'failed') ? 1 : 0;
  },
};

function text({ subject, state, detail, advice }: Finding): string {
  const line = `${state.padEnd(7)}  ${subject.padEnd(12)}  ${printable(detail)}\n`;
  return advice === '' ? line : `${line}${' '.repeat(23)}→ ${printable(advice)}\n`;
}

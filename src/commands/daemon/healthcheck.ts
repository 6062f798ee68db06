import { HeddleError } from '../../errors.ts';
import type { StatusReport } from '../../operations/host-operations.ts';
import { printable } from '../../runtime/printable.ts';
import type { HostCommand } from '../syntax/command.ts';
import { formatOption, printResult } from '../syntax/format.ts';

/**
 * For the HEALTHCHECK of an image, and for monitoring: status 0 when the daemon works. An unreachable registry does
 * not count: names are answered as last known.
 */
export const healthcheck: HostCommand = {
  name: 'healthcheck',
  describe: (command) =>
    void command.summary('check the daemon: status 0, or 1 and what does not work').addOption(formatOption()),
  async run(host, { options }, io) {
    const problems = problemsOf(await host.status());
    const healthy = problems.length === 0;
    if (options.format === 'json') printResult(io, options, '', { healthy, problems });
    else if (healthy) io.stdout.write('healthy\n');
    if (healthy) return 0;
    throw new HeddleError('failed', `unhealthy: ${problems.map(printable).join('; ')}`);
  },
};

function problemsOf({ daemon, docker, dns }: StatusReport): readonly string[] {
  if (daemon === null) return ['no daemon answers'];
  const { follower } = docker;
  const stream =
    follower && follower.stream !== 'following' ? [`Docker at ${docker.address} does not answer`] : [];
  const failed = (dns ?? []).filter(({ state }) => state === 'failed');
  return [...stream, ...failed.map(({ address, detail }) => `no DNS on ${address}: ${detail}`)];
}

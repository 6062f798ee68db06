import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { ConsulAgent } from '../support/consul.ts';
import { eventually } from '../support/eventually.ts';
import { Fleet } from '../support/fleet.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startDaemon } from '../support/heddle.ts';
import { memoryOf, SLACK_MIB } from '../support/memory.ts';
import { countOfLines, expectConsistent } from '../support/truth.ts';

afterEach(() => clearWorld());

const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

test('of three servers two die, containers come and go without a leader, and one server returns', async () => {
  await using folder = await temporaryFolder();
  const servers = ADDRESSES.map(
    (address, index) =>
      new ConsulAgent({
        address,
        node: `heddle-n${index + 1}`,
        mode: [
          ...['-server', '-bootstrap-expect=3', `-data-dir=${join(folder.path, address)}`],
          ...ADDRESSES.map((other) => `-retry-join=${other}`),
        ],
      }),
  );
  await using stack = new AsyncDisposableStack();
  for (const server of servers) stack.use(server);
  await Promise.all(servers.map((server) => server.start()));
  const [consul, second, third] = servers as [ConsulAgent, ConsulAgent, ConsulAgent];
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.51');
  const six = (prefix: string) => Array.from({ length: 6 }, (_, index) => `${prefix}-${index}`);
  await fleet.startAll([...six('stays'), ...six('goes')]);
  await expectConsistent({ fleet, daemon, consul });

  const memory = memoryOf(daemon.pid);
  await Promise.all([second.stop(), third.stop()]);
  await Promise.all([fleet.end(...six('goes')), fleet.startAll(six('comes'))]);
  await expectConsistent({ fleet, daemon });
  await eventually(() => expect(countOfLines(daemon, /^the registry is away/), daemon.output).toBe(1), {
    within: 15_000,
  });
  await second.start();
  await expectConsistent({ fleet, daemon, consul });
  await eventually(() => expect(countOfLines(daemon, /^consul:.* is back$/)).toBe(1));
  expect(countOfLines(daemon, /^the registry is away/)).toBe(1);
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
});

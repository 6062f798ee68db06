import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { findConsul } from '../../scripts/setup/consul.mjs';
import { clearWorld } from '../support/cleanup.ts';
import { ConsulAgent, startConsul } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { removeContainers, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';
import { runProgram, succeed } from '../support/program.ts';

/** The addresses of this host's uplink: the first is that of its default route. */
const [FIRST, SECOND] = ['192.168.77.2', '192.168.77.3'];
/** A web server and a check of it that Consul's agent runs. */
const WEB = ['httpd', '-f', '-p', '80'];
const checked = (name: string, port: number) => [
  ...['-e', `SERVICE_NAME=${name}`, '--expose', `${port}`],
  ...['-e', 'SERVICE_CHECK_TCP=true', '-e', 'SERVICE_CHECK_INTERVAL=1s'],
];

beforeAll(async () => {
  await succeed('ip', ['link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1']);
  for (const ip of [FIRST, SECOND]) await succeed('ip', ['address', 'add', `${ip}/24`, 'dev', 'up0']);
  for (const end of ['up0', 'up1']) await succeed('ip', ['link', 'set', end, 'up']);
  await succeed('ip', ['route', 'add', 'default', 'via', '192.168.77.1', 'src', FIRST]);
});
afterEach(removeContainers);
afterAll(async () => {
  await runProgram('ip', ['link', 'delete', 'up0']);
  await clearWorld();
});

const found = async (daemon: Daemon, name: string) => dataOf(await daemon.dig(`${name}.service.consul`));

test('an agent that comes back under another node name is followed: nodes, checks and what is served', async () => {
  await using consul = await startConsul({ node: 'old' });
  await using daemon = await startDaemon(['--registry', consul.uri]);
  // The agent runs its checks from the host.
  await daemon.command('expose', '10.2.1.250/16');
  await using _well = await daemon.run(['10.2.1.1/16'], checked('well', 80), WEB);
  await using _sick = await daemon.run(['10.2.1.2/16'], checked('sick', 81), WEB);
  const isAnswered = () =>
    eventually(async () => expect(await found(daemon, 'well')).toEqual(['10.2.1.1']), { within: 8000 });
  await isAnswered();
  await consul.stop();
  await using renamed = await startConsul({ node: 'new' });
  await eventually(async () => expect(Object.keys(await renamed.catalog('new'))).toHaveLength(3));
  await isAnswered();
  expect(await found(daemon, 'sick')).toEqual([]);
  await eventually(async () => {
    expect(dataOf(await daemon.dig('new.node.consul'))).toEqual(['127.0.0.1']);
    expect(dataOf(await daemon.dig('old.node.consul'))).toEqual([]);
    const status = await daemon.command('status', 'registry');
    expect(status.stdout).not.toContain('not served');
  });
  expect(daemon.log.map(({ msg }) => msg)).toContain(
    'the Consul agent changed its name, address, datacenter or version',
  );
});

test('the same when the agent keeps its data under another node name', async () => {
  await using folder = await temporaryFolder();
  const mode = ['-server', '-bootstrap-expect=1', `-data-dir=${folder.path}`];
  await using consul = await startConsul({ node: 'old', mode });
  await using daemon = await startDaemon(['--registry', consul.uri]);
  // The agent runs its checks from the host.
  await daemon.command('expose', '10.2.1.250/16');
  await using _well = await daemon.run(['10.2.1.1/16'], checked('well', 80), WEB);
  await eventually(async () => expect(await found(daemon, 'well')).toEqual(['10.2.1.1']), { within: 8000 });
  await consul.stop();
  await using renamed = await startConsul({ node: 'new', mode });
  const asConsul = async (name: string) => {
    const here = dataOf(await daemon.dig(name));
    expect(here, name).toEqual(dataOf(await dig(name, { port: renamed.dnsPort })));
    return here;
  };
  await eventually(
    async () => {
      expect(await asConsul('well.service.dc1.consul')).toEqual(['10.2.1.1']);
      expect(await asConsul('new.node.dc1.consul')).toEqual(['127.0.0.1']);
      await asConsul('old.node.dc1.consul');
    },
    { within: 10_000 },
  );
});

test('published services move with the address that the agent advertises', async () => {
  const advertising = (ip: string) => ({ configuration: `advertise_addr = "${ip}"` });
  await using consul = await startConsul(advertising(SECOND));
  await using daemon = await startDaemon(['--registry', consul.uri]);
  await using _web = await runContainer(['-p', '18080:80', '-e', 'SERVICE_NAME=pub']);
  await eventually(async () => expect(await found(daemon, 'pub')).toEqual([SECOND]));
  await consul.stop();
  await using moved = await startConsul(advertising(FIRST));
  await eventually(async () => {
    expect(await found(daemon, 'pub')).toEqual([FIRST]);
    expect(dataOf(await dig('pub.service.consul', { port: moved.dnsPort }))).toEqual([FIRST]);
  });
  await using _later = await runContainer(['-p', '18081:80', '-e', 'SERVICE_NAME=later']);
  await eventually(async () => expect(await found(daemon, 'later')).toEqual([FIRST]));
});

test.each([
  ['in development mode', false, /advertises 127\.0\.0\.1, which no other host can use/],
  ['in a container', true, /advertises 172\.\d+\.\d+\.\d+, which is not an address of this host/],
])(
  'a Consul %s does not say where this host is: the default route does, and ps says so',
  async (_, isContained, why) => {
    await using consul = new ConsulAgent();
    if (!isContained) await consul.start();
    else {
      const program = [
        findConsul() as string,
        'agent',
        '-dev',
        '-client=0.0.0.0',
        '-bind={{ GetInterfaceIP "eth0" }}',
      ];
      await runContainer(['-p', '8500:8500', '-v', '/:/host:ro'], ['chroot', '/host', ...program]);
      await eventually(async () => expect(await consul.get('/v1/status/leader')).not.toBe(''), {
        within: 20_000,
      });
    }
    await using daemon = await startDaemon(['--registry', 'consul://127.0.0.1:8500']);
    await using web = await runContainer(['-p', '18080:80', '-e', 'SERVICE_NAME=pub']);
    await eventually(async () => expect(await found(daemon, 'pub')).toEqual([FIRST]));
    const { stdout } = await daemon.command('ps', '--format', 'json');
    const entries = JSON.parse(stdout) as { name: string }[];
    expect(JSON.stringify(entries.find(({ name }) => name === web.name))).toMatch(why);
  },
);

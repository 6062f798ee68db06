import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { ConsulAgent, type HealthEntry } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { type Container, removeContainers, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { startDaemon } from '../support/heddle.ts';
import { scenario } from '../support/scenario.ts';

/** A web server whose /ok the test creates and removes. */
const server = (service: string, ...flags: readonly string[]) =>
  runContainer(
    ['-e', `SERVICE_NAME=${service}`, '--expose', '80', ...flags],
    ['sh', '-c', 'mkdir /www && touch /www/ok && exec httpd -f -p 80 -h /www'],
  );
const sicken = (container: Container) => container.exec('rm', '/www/ok');
const heal = (container: Container) => container.exec('touch', '/www/ok');

const everySecond = ['-e', 'SERVICE_CHECK_INTERVAL=1s'];
const http = ['-e', 'SERVICE_CHECK_HTTP=/ok', ...everySecond];
const healthcheck = ['--health-cmd', 'test -f /www/ok', '--health-interval', '1s', '--health-retries', '1'];

describe.each([
  ['the embedded registry', []],
  ['a Consul agent', ['--consul-mode', 'agent']],
  ["Consul's catalog", ['--consul-mode', 'catalog']],
])('with %s', (_, flags) => {
  const consul = flags.length > 0 ? new ConsulAgent() : undefined;
  const registry = consul === undefined ? [] : ['--registry', consul.uri];
  const { daemon } = scenario({
    consul,
    flags: ['--address', 'internal', ...registry, ...flags],
    keepContainers: true,
  });

  /** What heddle's resolver answers and, where there is a Consul, what its own answers. */
  const answers = async (service: string, ...expected: readonly string[]) => {
    const name = `${service}.service.dc1.consul`;
    const within = { within: 10_000 };
    await eventually(async () => expect(dataOf(await daemon.dig(name))).toEqual(expected), within);
    if (consul === undefined) return;
    const port = consul.dnsPort;
    await eventually(async () => expect(dataOf(await dig(name, { port }))).toEqual(expected), within);
  };

  // Each waits some seconds, so they run at the same time.
  test.concurrent.each([
    ['an HTTP check', 'http', http, 'http check'],
    ['its HEALTHCHECK', 'health', healthcheck, "the container's HEALTHCHECK"],
  ])('a container is answered while %s passes, and explained', async (_what, name, args, check) => {
    await using container = await server(name, ...args);
    await answers(name, await container.address());
    const well = await daemon.command('explain', name);
    expect(well).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^ *check .*: (passing|warning)$/m),
    });
    await sicken(container);
    await answers(name);
    const ill = await daemon.command('explain', name);
    expect(ill).toMatchObject({ status: 3, stdout: expect.stringMatching(/^ *check .*: critical$/m) });
    expect(ill.stdout).toContain(` does not answer: ${check} is critical\n`);
    await heal(container);
    await answers(name, await container.address());
  });

  test.concurrent('a HEALTHCHECK without a result yet delays nothing', async () => {
    await using container = await server('silent', '--health-cmd', 'true', '--health-interval', '1h');
    await answers('silent', await container.address());
  });

  test.concurrent('a TTL check is kept alive for as long as the container runs', async () => {
    await using container = await server('alive', '-e', 'SERVICE_CHECK_TTL=1s');
    const ip = await container.address();
    await answers('alive', ip);
    await sleep(2500);
    await answers('alive', ip);
    await container.kill();
    await answers('alive');
  });

  if (flags.includes('agent')) {
    test.concurrent('a container that Consul removed for a failing check is answered again when its check passes', async () => {
      const settings = ['SERVICE_CHECK_INITIAL_STATUS=passing', 'SERVICE_CHECK_DEREGISTER_AFTER=10m'];
      await using sick = await server('reaped', ...http, ...settings.flatMap((setting) => ['-e', setting]));
      const entries = async () => (await consul?.get<HealthEntry[]>('/v1/health/service/reaped')) ?? [];
      const passing = async () =>
        (await entries()).filter(({ Checks }) => Checks.every(({ Status }) => Status === 'passing'));
      await answers('reaped', await sick.address());
      await sicken(sick);
      await answers('reaped');
      // Consul itself takes at least a minute and a half.
      const [entry] = await entries();
      await consul?.put(`/v1/agent/service/deregister/${entry?.Service.ID}`);
      await eventually(async () => {
        expect(await passing()).toEqual([]);
        expect((await entries())[0]?.Service.CreateIndex).toBeGreaterThan(entry?.Service.CreateIndex ?? 0);
      });
      for (let n = 0; n < 10; n++) {
        expect(await passing()).toEqual([]);
        await sleep(50);
      }
      await heal(sick);
      await answers('reaped', await sick.address());
    });
  }

  test.concurrent('a TCP check that fails takes out only its own container', async () => {
    await using up = await server('tcp', '-e', 'SERVICE_CHECK_TCP=true', ...everySecond);
    await using _down = await runContainer(
      ['-e', 'SERVICE_NAME=tcp', '-e', 'SERVICE_CHECK_TCP=true', '--expose', '81', ...everySecond],
      ['sleep', '3600'],
    );
    await answers('tcp', await up.address());
  });
});

test('in the catalog, a host is a node of its own, and nothing stays there when its container ends', async () => {
  await using consul = new ConsulAgent();
  await consul.start();
  await using daemon = await startDaemon([
    ...['--address', 'internal', '--registry', consul.uri],
    ...['--consul-mode', 'catalog', '--ip', '192.0.2.7'],
  ]);
  const { daemon: about } = JSON.parse((await daemon.command('status', '--format', 'json')).stdout);
  const node = `heddle-${about.hostId}`;
  const held = async () => {
    const { Services, Node } = await consul.get<{
      Node: { Address: string };
      Services: Record<string, { Service: string }>;
    }>(`/v1/catalog/node/${node}`);
    expect(Node.Address).toBe('192.0.2.7');
    return Object.values(Services).map(({ Service }) => Service);
  };
  const container = await server('web');
  await eventually(async () => expect(await held()).toEqual(['web']));
  expect(Object.keys(await consul.services())).toEqual([]);
  await daemon.kill();
  await container.kill();
  await container[Symbol.asyncDispose]();
  await using _other = await runContainer(['-e', 'SERVICE_NAME=other']);
  await daemon.start();
  await eventually(async () => expect(await held()).toEqual(['other']));
  await consul.wipe();
  await eventually(async () => expect(await held()).toEqual(['other']));
  await removeContainers();
  await clearWorld();
});

test("a container's check command runs only where that is allowed", async () => {
  await using consul = new ConsulAgent({ configuration: 'enable_script_checks = true' });
  await consul.start();
  const flags = ['--address', 'internal', '--registry', consul.uri];
  const args = ['-e', 'SERVICE_CHECK_SCRIPT=test -f /etc/passwd', ...everySecond];
  const checks = async () => {
    const found = await consul.get<Record<string, { Status: string }>>('/v1/agent/checks');
    return Object.entries(found).map(([id, { Status }]) => `${id.replace(/.*~/, '')} ${Status}`);
  };
  await using container = await server('web', ...args);
  {
    await using daemon = await startDaemon(flags);
    await eventually(async () => expect(Object.keys(await consul.services())).toHaveLength(1));
    expect(await checks()).toEqual([]);
    expect((await daemon.command('ps', container.name)).stdout).toContain('need --allow-script-checks');
  }
  await using _daemon = await startDaemon([...flags, '--allow-script-checks']);
  await eventually(async () => expect(await checks()).toEqual(['script passing']), { within: 10_000 });
});

test('with --only-passing, a container in state warning is not answered, and explain gives the reason', async () => {
  await using daemon = await startDaemon(['--address', 'internal', '--only-passing']);
  await using _starting = await server('web', '--health-cmd', 'true', '--health-interval', '1h');
  await eventually(async () => {
    const { status, stdout } = await daemon.command('explain', 'web');
    expect(status).toBe(3);
    expect(stdout).toContain("the container's HEALTHCHECK is warning, and --only-passing omits it\n");
  });
  expect((await daemon.dig('web.service.dc1.consul')).status).toBe('NXDOMAIN');
});

test('--no-healthcheck leaves the HEALTHCHECK alone', async () => {
  await using daemon = await startDaemon(['--address', 'internal', '--no-healthcheck']);
  await using container = await server(
    'web',
    ...['--health-cmd', 'false', '--health-interval', '1s', '--health-retries', '1'],
  );
  await eventually(
    async () => {
      const { stdout } = await daemon.command('ps', '--format', 'json');
      expect(JSON.parse(stdout)).toMatchObject([{ health: 'unhealthy', services: [{ checks: [] }] }]);
    },
    { within: 15_000 },
  );
  expect(dataOf(await daemon.dig('web.service.dc1.consul'))).toEqual([await container.address()]);
});

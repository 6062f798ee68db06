import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { eventually } from '../support/eventually.ts';
import { heddle, startDaemon } from '../support/heddle.ts';

afterEach(() => clearWorld());

const web = 'web.service.dc1.consul';
const asWeb = ['-e', 'SERVICE_NAME=web', '--expose', '80'];

test("other people's services are never touched", async () => {
  await using consul = await startConsul();
  const theirs = { ID: 'host:other:80', Name: 'web', Address: '10.9.9.9', Port: 80 };
  await consul.put('/v1/agent/service/register', theirs);
  await using daemon = await startDaemon(['--registry', consul.uri]);
  await using ours = await daemon.run(['10.2.1.1/16'], asWeb);
  const both = ['10.2.1.1', '10.9.9.9'];
  await eventually(async () => expect(dataOf(await dig(web, { port: consul.dnsPort }))).toEqual(both));
  await eventually(async () => expect(dataOf(await daemon.dig(web))).toEqual(both));
  await ours.kill();
  await eventually(async () => expect(Object.keys(await consul.services())).toEqual([theirs.ID]));
  await eventually(async () => expect(dataOf(await daemon.dig(web))).toEqual(['10.9.9.9']));
});

test('a host without an agent registers in the configured datacenter, and answers its names', async () => {
  await using consul = await startConsul();
  const mode = ['-dev', '-datacenter=dc2', '-retry-join-wan=127.0.0.1'];
  await using far = await startConsul({ address: '127.0.0.2', node: 'far', mode });
  await eventually(async () => expect(await consul.get('/v1/catalog/datacenters')).toEqual(['dc1', 'dc2']));
  const flags = ['--consul-mode', 'catalog', '--consul-datacenter', 'dc2', '--ip', '192.0.2.7'];
  flags.push('--consul-dns', `127.0.0.1:${consul.dnsPort}`);
  await using daemon = await startDaemon(['--registry', consul.uri, ...flags]);
  const ipv6 = ['--net=none', '--sysctl', 'net.ipv6.conf.all.disable_ipv6=0'];
  await using ours = await daemon.run(['10.2.1.1/16', 'fd00:2::1/64'], [...asWeb, ...ipv6]);
  await far.put('/v1/agent/service/register', { ID: 'theirs', Name: 'web', Address: '10.9.9.9', Port: 80 });
  const name = 'web.service.dc2.consul';
  const everywhere = (...expected: readonly string[]) =>
    eventually(async () => {
      expect(dataOf(await daemon.dig(name))).toEqual(expected);
      for (const server of ['127.0.0.1', '127.0.0.2']) {
        expect(dataOf(await dig(name, { server, port: consul.dnsPort })), server).toEqual(expected);
      }
    });
  await everywhere('10.2.1.1', '10.9.9.9');
  await eventually(async () => {
    const reply = await dig(name, { type: 'AAAA', server: '127.0.0.2', port: consul.dnsPort });
    expect(dataOf(reply)).toEqual(['fd00:2::1']);
  });
  expect(await consul.get('/v1/catalog/service/web')).toEqual([]);
  // Consul answers the names of the other datacenter.
  await consul.put('/v1/agent/service/register', { ID: 'near', Name: 'web', Address: '10.8.8.8', Port: 80 });
  for (const elsewhere of [web, '_web._tcp.service.dc1.consul']) {
    await eventually(async () => expect(dataOf(await daemon.dig(elsewhere))).toEqual(['10.8.8.8']));
  }
  expect(dataOf(await daemon.dig('heddle-n1.node.dc1.consul'))).toEqual(['127.0.0.1']);
  await ours.kill();
  await everywhere('10.9.9.9');
  const { hostId } = JSON.parse((await daemon.command('status', '--format', 'json')).stdout).daemon;
  await daemon.stop();
  const nodes = async () => (await far.get<{ Node: string }[]>('/v1/catalog/nodes')).map(({ Node }) => Node);
  expect(await nodes()).toContain(`heddle-${hostId}`);
  const gc = await heddle(['--local', '--registry', consul.uri, ...flags, 'gc', '--host', hostId]);
  expect(gc).toMatchObject({ status: 0 });
  expect(await nodes()).not.toContain(`heddle-${hostId}`);
});

test("other hosts' services are followed at once, and are served as last known, marked so, while Consul is away", async () => {
  await using consul = await startConsul();
  const register = (Address: string) =>
    consul.put('/v1/agent/service/register', { ID: 'host:other:80', Name: 'web', Address, Port: 80 });
  await register('10.9.9.1');
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const found = async () => dataOf(await daemon.dig(web));
  const said = async () => (await daemon.command('status', 'registry')).stdout;
  await eventually(async () => expect(await found()).toEqual(['10.9.9.1']));
  expect(await said()).toContain('Elsewhere: 1 names requested, 1 watched\n');
  await register('10.9.9.2');
  await eventually(async () => expect(await found()).toEqual(['10.9.9.2']));
  await consul.stop();
  await eventually(async () =>
    expect(await said()).toContain('1 names requested, 1 watched, as last known\n'),
  );
  expect(await found()).toEqual(['10.9.9.2']);
  await consul.start();
  await register('10.9.9.3');
  await eventually(async () => expect(await found()).toEqual(['10.9.9.3']));
  await eventually(async () => expect(await said()).not.toContain('as last known'));
});

test('CONSUL_HTTP_ADDR names the Consul, and a registration carries its owner and container', async () => {
  await using consul = await startConsul({ portOffset: 1000 });
  await using daemon = await startDaemon([], { CONSUL_HTTP_ADDR: `127.0.0.1:${consul.httpPort}` });
  await using container = await daemon.run(['10.2.1.1/16'], asWeb);
  const [service] = await eventually(async () => {
    const services = Object.values(await consul.services());
    expect(services).toHaveLength(1);
    return services;
  });
  expect(service).toMatchObject({ Service: 'web', Address: '10.2.1.1', Port: 80 });
  expect(service?.Meta['heddle-owner']).toBeTruthy();
  expect(container.id).toContain(service?.Meta['heddle-container']);
});

test('a refusal by Consul is logged with its reason, and does not end the daemon', async () => {
  await using consul = await startConsul({
    configuration: 'acl { enabled = true default_policy = "deny" }',
    leaderOnly: true,
  });
  await using daemon = await startDaemon(['--registry', consul.uri]);
  await using _web = await daemon.run(['10.2.1.1/16'], asWeb);
  await eventually(async () => {
    const { status, stdout } = await daemon.command('status');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Registry: .*away.*no token was given: .*needs the policy service_prefix/);
  });
  expect(Object.keys(await consul.get<object>('/v1/agent/services'))).toEqual([]);
  expect(dataOf(await daemon.dig(web))).toEqual(['10.2.1.1']);
});

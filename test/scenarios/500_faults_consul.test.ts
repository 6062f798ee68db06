import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { TOKEN_POLICY } from '../../src/registry/consul/api/errors.ts';
import { createToken, DENIES_BY_DEFAULT } from '../support/acl.ts';
import { clearWorld } from '../support/cleanup.ts';
import { ConsulAgent, startConsul } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { Fleet } from '../support/fleet.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';
import { memoryOf, SLACK_MIB } from '../support/memory.ts';
import { answersTo } from '../support/questions.ts';
import { countOfLines, expectConsistent } from '../support/truth.ts';

afterEach(() => clearWorld());

/** Whatever happened to Consul, the log reports its loss and its return once each. */
const LOST = /^the registry is away/;
const BACK = /^consul:.* is back$/;
/** Logged when Consul lost its data: how many of our services were registered again. */
const lostOurs = (daemon: Daemon, count: number) =>
  countOfLines(daemon, new RegExp(` had lost ${count} of this host's`));
const saidOnce = (daemon: Daemon) =>
  eventually(() =>
    expect([countOfLines(daemon, LOST), countOfLines(daemon, BACK)], daemon.output).toEqual([1, 1]),
  );

const four = (prefix: string) => Array.from({ length: 4 }, (_, index) => `${prefix}-${index}`);
/** A server that keeps its data. */
const keeping = (folder: string) => ({
  mode: ['-server', '-bootstrap-expect=1', `-data-dir=${folder}`],
});

test('Consul is absent at the start', async () => {
  await using consul = new ConsulAgent();
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.50');
  await fleet.startAll(four('early'));
  await expectConsistent({ fleet, daemon });
  await consul.start();
  await expectConsistent({ fleet, daemon, consul });
  await saidOnce(daemon);
});

test.each([
  ['a Consul that keeps its data is killed and started', true],
  ['a Consul without its data is killed and started', false],
])('%s while containers come and go', async (_, keeps) => {
  await using folder = await temporaryFolder();
  await using consul = await startConsul(keeps ? keeping(folder.path) : {});
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.50');
  await fleet.startAll([...four('stays'), ...four('goes')]);
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  await consul.stop();
  await Promise.all([fleet.end(...four('goes')), fleet.startAll(four('comes'))]);
  await expectConsistent({ fleet, daemon });
  await eventually(() => expect(countOfLines(daemon, LOST)).toBe(1));
  await consul.start();
  await expectConsistent({ fleet, daemon, consul });
  await saidOnce(daemon);
  expect(lostOurs(daemon, 4), daemon.output).toBe(keeps ? 0 : 1);
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
});

test('a Consul is wiped faster than heddle notices its absence', async () => {
  await using consul = await startConsul();
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.50');
  await fleet.startAll(four('stays'));
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  await consul.wipe();
  await expectConsistent({ fleet, daemon, consul });
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
  // heddle may miss such a short absence; the first accepted write logs the return.
  await eventually(() => expect(countOfLines(daemon, BACK)).toBe(countOfLines(daemon, LOST)));
  expect(lostOurs(daemon, 4), daemon.output).toBe(1);
});

test('a Consul is frozen while containers come and go', async () => {
  await using consul = await startConsul();
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.50');
  await fleet.startAll([...four('stays'), ...four('goes')]);
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  consul.freeze();
  await Promise.all([fleet.end(...four('goes')), fleet.startAll(four('comes'))]);
  await expectConsistent({ fleet, daemon });
  await eventually(() => expect(countOfLines(daemon, LOST)).toBe(1), { within: 15_000 });
  consul.thaw();
  await expectConsistent({ fleet, daemon, consul });
  await saidOnce(daemon);
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
});

/** In the full run only, as it takes 15 s: the same fault in another mode of writing. */
if (count(0, 1) > 0)
  test('in catalog mode, a Consul is frozen, and then restarted with its data, while containers come and go', async () => {
    await using folder = await temporaryFolder();
    await using consul = await startConsul(keeping(folder.path));
    await using daemon = await startDaemon(['--registry', consul.uri, '--consul-mode', 'catalog']);
    const status = JSON.parse((await daemon.command('status', '--format', 'json')).stdout);
    const node = `heddle-${status.daemon.hostId}`;
    const fleet = new Fleet('10.2.50');
    await fleet.startAll([...four('stays'), ...four('goes')]);
    await expectConsistent({ fleet, daemon, consul, node });
    const memory = memoryOf(daemon.pid);
    consul.freeze();
    await Promise.all([fleet.end('goes-0', 'goes-1'), fleet.startAll(four('comes'))]);
    await expectConsistent({ fleet, daemon });
    await eventually(() => expect(countOfLines(daemon, LOST)).toBe(1), { within: 15_000 });
    consul.thaw();
    await expectConsistent({ fleet, daemon, consul, node });
    await saidOnce(daemon);
    await consul.stop();
    await Promise.all([fleet.end('goes-2', 'goes-3'), fleet.startAll(four('follows'))]);
    await expectConsistent({ fleet, daemon });
    await eventually(() => expect(countOfLines(daemon, LOST)).toBe(2));
    await consul.start();
    await expectConsistent({ fleet, daemon, consul, node });
    await eventually(() =>
      expect([countOfLines(daemon, LOST), countOfLines(daemon, BACK)], daemon.output).toEqual([2, 2]),
    );
    expect(countOfLines(daemon, / had lost /)).toBe(0);
    expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
  });

test('a Consul refuses every request while containers come and go, then recovers', async () => {
  await using consul = await startConsul({ configuration: DENIES_BY_DEFAULT });
  const token = await createToken(consul, TOKEN_POLICY);
  await using daemon = await startDaemon(['--registry', consul.uri], { CONSUL_HTTP_TOKEN: token.secret });
  const fleet = new Fleet('10.2.50');
  await fleet.startAll([...four('stays'), ...four('goes')]);
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  await token.allow('key_prefix "" { policy = "read" }');
  await Promise.all([fleet.end(...four('goes')), fleet.startAll(four('comes'))]);
  await expectConsistent({ fleet, daemon });
  await eventually(() => expect(countOfLines(daemon, LOST)).toBe(1));
  expect(Object.keys(await consul.services()).length).toBeGreaterThanOrEqual(4);
  await token.allow(TOKEN_POLICY);
  await expectConsistent({ fleet, daemon, consul });
  await saidOnce(daemon);
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
});

test('a token may no longer read nodes: known names stay, and the log names the missing policy', async () => {
  await using consul = await startConsul({ configuration: DENIES_BY_DEFAULT });
  const token = await createToken(consul, TOKEN_POLICY);
  await using daemon = await startDaemon(['--registry', consul.uri], { CONSUL_HTTP_TOKEN: token.secret });
  const fleet = new Fleet('10.2.50');
  const checked = {
    SERVICE_CHECK_TCP: '1',
    SERVICE_CHECK_INTERVAL: '1h',
    SERVICE_CHECK_INITIAL_STATUS: 'passing',
  };
  await fleet.start('checked', { labels: checked });
  const ofOthers = (...Tags: string[]) =>
    consul.put('/v1/agent/service/register', { ID: 'theirs', Name: 'theirs', Address: '10.9.0.1', Tags });
  await ofOthers();
  const known = ['checked 10.2.50.1', 'theirs 10.9.0.1'];
  const expectKnown = async () =>
    expect(await answersTo(daemon.dnsPort, ['checked', 'theirs'])).toEqual(known);
  await eventually(expectKnown);
  const statusOf = async (name: string) => (await daemon.dig(`${name}.service.dc1.consul`)).status;
  expect(await statusOf('nobody')).toBe('NXDOMAIN');

  await token.allow('service_prefix "" { policy = "write" } agent_prefix "" { policy = "read" }');
  await ofOthers('wakes-watchers');
  await fleet.start('unchecked');
  const lacks = /shows this token no service on any node.*node_prefix "" \{ policy = "read" \}/;
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(() => expect(countOfLines(daemon, lacks), daemon.output).toBe(1));
  await expectKnown();
  expect(await statusOf('never-asked')).toBe('SERVFAIL');
  expect((await daemon.command('status')).stdout).toMatch(lacks);

  await token.allow(TOKEN_POLICY);
  await eventually(async () => expect(await statusOf('never-asked')).toBe('NXDOMAIN'));
  await expectKnown();
  await eventually(async () => expect((await daemon.command('status')).stdout).not.toMatch(lacks), {
    within: 7000,
  });
  await expectConsistent({ fleet, daemon, consul });
});

test('a client agent allows one request a second, and later any number', async () => {
  await using folder = await temporaryFolder();
  const limits = join(folder.path, 'limits.hcl');
  const limit = (rates: string) => writeFileSync(limits, `limits { ${rates} }`);
  limit('');
  await using _server = await startConsul({ address: '127.0.0.2', node: 'server' });
  const mode = ['-retry-join=127.0.0.2', `-data-dir=${folder.path}/data`, `-config-file=${limits}`];
  await using consul = await startConsul({ mode });
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.50');
  await fleet.startAll([...four('stays'), ...four('goes')]);
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  limit('rpc_rate = 1, rpc_max_burst = 1');
  consul.reload();
  await eventually(() => expect(consul.output).toContain('signal=hangup'));
  await Promise.all([fleet.end(...four('goes')), fleet.startAll(four('comes'))]);
  await expectConsistent({ fleet, daemon });
  await eventually(() => expect(countOfLines(daemon, LOST)).toBe(1), { within: 15_000 });
  limit('rpc_rate = -1, rpc_max_burst = 1000');
  consul.reload();
  await expectConsistent({ fleet, daemon, consul });
  await saidOnce(daemon);
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { worldFolder } from '../../scripts/world/engine.ts';
import { clearWorld } from '../support/cleanup.ts';
import { removeContainers } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';
import { succeed } from '../support/program.ts';

/** In this world Docker keeps its chains in iptables' legacy tables, and drops all other packets. */
beforeAll(async () => {
  expect(await succeed('iptables', ['--version'])).toContain('legacy');
  expect(await succeed('iptables', ['-S', 'FORWARD'])).toContain('-P FORWARD DROP');
});
afterEach(removeContainers);
afterAll(() => clearWorld());

/** The system's own iptables, as in heddle's image and under systemd, writes to nft. */
const PATH = (process.env.PATH ?? '')
  .split(':')
  .filter((folder) => folder !== join(worldFolder(), 'bin'))
  .join(':');

/** A daemon with the capabilities of the systemd unit alone, less those named. */
async function confined(...less: readonly string[]): Promise<Daemon> {
  const unit = await readFile(join(ROOT, 'examples/systemd/heddle.service'), 'utf8');
  const [, line = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(unit) ?? [];
  const names = line.split(' ').filter((name) => !less.includes(name));
  expect(names).toContain('CAP_NET_ADMIN');
  const bounding = ['-all', ...names.map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`)];
  return await startDaemon([], { PATH }, ['setpriv', `--bounding-set=${bounding.join(',')}`]);
}

async function fetchesOverEthwe(daemon: Daemon): Promise<void> {
  const page = 'echo hello > /tmp/index.html; exec httpd -f -h /tmp';
  await using _server = await daemon.run(['10.2.1.1/16'], ['--net=none'], ['sh', '-c', page]);
  await using client = await daemon.run(['10.2.1.2/16'], ['--net=none']);
  const fetch = ['timeout', '3', 'wget', '-q', '-O', '-', 'http://10.2.1.1/'];
  await eventually(async () => expect(await client.exec(...fetch)).toBe('hello'));
}

const firewallOf = async (daemon: Daemon) => {
  const { stdout } = await daemon.command('doctor', '--format', 'json');
  const findings = JSON.parse(stdout) as { subject: string; state: string; advice: string }[];
  return findings.find(({ subject }) => subject === 'firewall');
};

test("with the unit's capabilities containers reach each other, by rules in the tables of Docker", async () => {
  await using daemon = await confined();
  await fetchesOverEthwe(daemon);
  expect(await succeed('iptables', ['-S', 'FORWARD'])).toMatch(/-i weave -o weave .*heddle.* -j ACCEPT/);
  const nft = await succeed('iptables-nft', ['-S', 'FORWARD']);
  expect(nft).not.toContain('heddle');
  expect(await firewallOf(daemon)).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/^iptables-legacy, policy of forwarded packets DROP/),
  });
  await daemon.command('reset');
});

test('without NET_RAW the log and doctor name the missing capability', async () => {
  await using daemon = await confined('CAP_NET_RAW');
  await using _web = await daemon.run(['10.2.1.1/16']);
  await eventually(() => {
    const warnings = daemon.log.filter(({ msg }) => /iptables-legacy .*cannot be used.*NET_RAW/.test(msg));
    // Docker 20.10 makes no chains for IPv6.
    expect(
      warnings.map(({ msg }) => msg.split('-')[0]),
      daemon.output,
    ).toEqual(['iptables']);
  });
  expect(await firewallOf(daemon)).toMatchObject({
    state: 'failed',
    detail: expect.stringContaining('cannot be read'),
    advice: expect.stringContaining('NET_RAW'),
  });
  await daemon.command('reset');
});

test('where every iptables is the legacy one, everything works as usual', async () => {
  await using daemon = await startDaemon();
  await fetchesOverEthwe(daemon);
  expect((await daemon.command('expose', '10.2.0.1/16')).status).toBe(0);
  expect(await firewallOf(daemon)).toMatchObject({ state: 'ok' });
  await daemon.command('reset');
  expect(await succeed('iptables', ['-S'])).not.toContain('heddle');
});
